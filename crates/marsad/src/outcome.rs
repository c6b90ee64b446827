//! How a command ends: what the exit code says, and what is said of a failure.

use std::error::Error;
use std::process::ExitCode;

/// The command did what it should.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// Exit code 0.
    Good,
    /// Something was found wrong: an invalid object, a refused part, a fault. Exit code 1.
    Bad,
}

impl Verdict {
    pub(crate) fn good_if(good: bool) -> Self {
        if good { Self::Good } else { Self::Bad }
    }
}

/// The command could not do what it should.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was called wrongly. Exit code 2.
    Usage(String),
    /// Something failed. Exit code 3.
    Could(Box<dyn Error>),
}

impl Failure {
    /// A failure in words.
    pub(crate) fn could(message: impl Into<String>) -> Self {
        Self::Could(message.into().into())
    }

    /// A failure of the file system at a path.
    pub(crate) fn file(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::could(format!("cannot {doing} {}: {error}", path.display()))
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Could(Box::new(error))
    }
}

/// What a command returns.
pub(crate) type Outcome = Result<Verdict, Failure>;

/// Says what failed, on stderr, and gives the exit code.
pub(crate) fn report(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::from(1),
        Err(Failure::Usage(message)) => {
            eprintln!("marsad: {message}");
            ExitCode::from(2)
        }
        Err(Failure::Could(error)) if reader_left(error.as_ref()) => ExitCode::SUCCESS,
        Err(Failure::Could(error)) => {
            // Whatever wrote the message, it may hold what a stranger wrote.
            eprintln!("marsad: {}", crate::terminal::visible(&chain(error.as_ref())));
            ExitCode::from(3)
        }
    }
}

/// An error with all its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // A wrapper that repeats its cause adds nothing.
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

/// Whether whoever read our output has gone (`marsad export | head`), which is nobody's fault.
fn reader_left(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = inner.source();
    }
    false
}
