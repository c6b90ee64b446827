//! Tables by rule, and every fast path beside a slow oracle.
