//! The real program as a process: run to its end, or serving until it is ended. Other test binaries take this file, too.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// The program with these words, and nothing of the environment that would change what it does.
pub(crate) fn marsad<W: AsRef<OsStr>>(words: &[W]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marsad"));
    command.args(words).env("USER", "operator");
    for name in ["MARSAD_HOME", "NO_COLOR", "SUDO_USER"] {
        command.env_remove(name);
    }
    command
}

/// What a command that ended said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end.
pub(crate) fn run(command: Command, input: impl AsRef<[u8]>) -> Ended {
    let output = assert_cmd::Command::from_std(command).write_stdin(input.as_ref()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs a command that must succeed; what it printed.
pub(crate) fn good(command: Command, input: impl AsRef<[u8]>) -> String {
    let words = format!("{:?}", command.get_args());
    let ended = run(command, input);
    assert_eq!(ended.code, 0, "{words}: {}{}", ended.out, ended.err);
    ended.out
}

/// A command that serves until it is told to end. It is killed with the value.
pub(crate) struct Serving {
    pub(crate) child: Child,
    /// Where it listens: `http://127.0.0.1:4711/`.
    pub(crate) url: String,
}

impl Serving {
    /// Starts it on a port that is free, and waits until it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_heard(command).0
    }

    /// The same, with what else it prints.
    pub(crate) fn start_heard(command: &mut Command) -> (Self, BufReader<ChildStdout>) {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let Some(url) = line.strip_prefix("listening on ") else { unreachable!("{line}") };
        (Self { child, url: url.trim().to_owned() }, out)
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_end_matches('/').rsplit("//").next().unwrap()
    }

    /// Ends it as an operator does: its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        assert!(Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
