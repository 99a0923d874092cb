//! What the user is doing: state, keys and commands, without drawing and without I/O.
