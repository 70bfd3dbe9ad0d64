//! Collection: sends the planned calls, live or from a recording, and judges nothing.
