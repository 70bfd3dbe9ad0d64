pub mod evidence;
pub mod finding;
pub mod resource;
