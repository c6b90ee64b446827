//! A request that goes on while something else is done.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// What was asked for ahead of time, and comes or has come.
pub(super) struct Ahead<'f, O>(State<'f, O>);

enum State<'f, O> {
    Coming(Pin<Box<dyn Future<Output = O> + Send + 'f>>),
    Here(O),
}

impl<'f, O> Ahead<'f, O> {
    /// Nothing is asked before it is waited for, or something is done beside it.
    pub(super) fn new(asking: impl Future<Output = O> + Send + 'f) -> Self {
        // The scheduler does not see how often it is polled here.
        Self(State::Coming(Box::pin(tokio::task::unconstrained(asking))))
    }

    /// Waits for it.
    pub(super) async fn arrive(self) -> O {
        match self.0 {
            State::Coming(asking) => asking.await,
            State::Here(out) => out,
        }
    }

    /// Whether it is here.
    fn advance(&mut self, context: &mut Context<'_>) -> bool {
        if let State::Coming(asking) = &mut self.0
            && let Poll::Ready(out) = asking.as_mut().poll(context)
        {
            self.0 = State::Here(out);
        }
        matches!(self.0, State::Here(_))
    }

    /// Does some work on a thread of its own, and meanwhile sees that the request goes on. This thread waits for the work, and
    /// not for the request.
    pub(super) fn beside<R: Send>(&mut self, work: impl FnOnce() -> R + Send) -> R {
        let signal = Arc::new(Signal { waits: std::thread::current(), over: AtomicBool::new(false) });
        std::thread::scope(|scope| {
            let over = Over(Arc::clone(&signal));
            let worker = scope.spawn(move || {
                // Told as well if the work panics.
                let _over = over;
                work()
            });
            let waker = Waker::from(Arc::clone(&signal));
            let mut context = Context::from_waker(&waker);
            while !signal.over.load(Ordering::Acquire) && !self.advance(&mut context) {
                std::thread::park();
            }
            // A defect there is one here.
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// Wakes the thread that waits.
struct Signal {
    waits: Thread,
    over: AtomicBool,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.waits.unpark();
    }
}

/// Says that the work is over when it is dropped.
struct Over(Arc<Signal>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Release);
        self.0.waits.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn what_is_asked_comes_while_something_is_done() {
        runtime().block_on(async {
            let (asked, hears) = std::sync::mpsc::channel();
            let mut ahead = Ahead::new(async move {
                let answer = tokio::task::spawn_blocking(move || 7).await.unwrap();
                asked.send(()).unwrap();
                answer
            });
            // The work ends only when the answer has come.
            let worked = ahead.beside(move || hears.recv_timeout(Duration::from_secs(60)).is_ok());
            assert!(worked);
            assert_eq!(ahead.arrive().await, 7);
        });
    }

    #[test]
    fn what_comes_late_holds_nothing_up() {
        runtime().block_on(async {
            let (go, gone) = tokio::sync::oneshot::channel();
            let mut ahead = Ahead::new(async move { gone.await.unwrap() });
            assert_eq!(ahead.beside(|| 1), 1);
            assert_eq!(ahead.beside(|| 2), 2);
            go.send(3).unwrap();
            assert_eq!(ahead.arrive().await, 3);
        });
    }

    #[test]
    fn a_panic_of_the_work_is_one_here() {
        let work = || {
            Ahead::new(std::future::pending::<()>()).beside(|| panic!("a defect"));
        };
        assert!(std::panic::catch_unwind(work).is_err());
    }
}
