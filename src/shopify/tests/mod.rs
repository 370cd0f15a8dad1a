//! The client against a stand-in at the wire.
