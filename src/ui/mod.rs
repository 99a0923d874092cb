//! Drawing: from the state of the program to the cells of the terminal.
