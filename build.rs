//! Rebuilds when a control file is added or removed: the macro that embeds them only sees changes of those it knows.

fn main() {
    println!("cargo:rerun-if-changed=controls");
    println!("cargo:rerun-if-changed=build.rs");
}
