//! Threads and the terminal: the loop that joins keys, the store and the engines to the screen.
