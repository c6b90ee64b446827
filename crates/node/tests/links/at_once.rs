//! Links that begin at once.
