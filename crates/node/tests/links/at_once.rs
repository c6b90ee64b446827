//! Nodes that serve on loopback, and links that begin at once.

use crate::site::{GREEN, Site, id, tool};
use ledger::{Ledger as _, Partners as _};
use node::config::Config;
use node::home::Home;
use node::partners::link::{Definition, Direction, Login};
use node::partners::state;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A site that serves.
struct Served {
    url: String,
    end: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

async fn serve(site: &Site) -> Served {
    let (home, book): (Home, _) = (site.home(), Arc::clone(&site.book));
    let config = Config::from_toml("listen = \"127.0.0.1:0\"\nplain-http = true\n").unwrap();
    let (ready, address) = tokio::sync::oneshot::channel();
    let (end, mut ends) = watch::channel(false);
    let serving = tokio::spawn(async move {
        let ready = |url: &str| drop(ready.send(url.to_owned()));
        let end = async move { drop(ends.wait_for(|end| *end).await) };
        node::http::serve(&home, config, book, ready, end).await.unwrap();
    });
    Served { url: address.await.unwrap(), end, serving }
}

impl Served {
    async fn end(self) {
        self.end.send(true).unwrap();
        self.serving.await.unwrap();
    }
}

fn link(site: &Site, name: &str, other: &Site, key: &str, definition: &Definition) {
    let login = Login::Key(key.to_owned().into());
    let secret = Some(login.seal(&site.secret, name, &definition.url).unwrap());
    let link = ledger::partners::Link {
        name: name.into(),
        organisation: other.name.clone(),
        definition: definition.write(),
        secret,
        paused: false,
    };
    site.book.add_link(&link).unwrap();
}

/// Waits for as long as it takes: the runner of the tests ends what takes for ever.
async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn definition(direction: Direction, served: &Served) -> Definition {
    let url = format!("{}taxii2/", served.url);
    Definition { at_once: true, ..Definition::new(direction, &url, "shared", crate::site::COLLECTION) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_goes_over_at_once_in_both_directions_and_both_end_cleanly() {
    let (one, two) = (Site::new("One"), Site::new("Two"));
    let key = two.trusts(&one);
    one.trusts(&two);
    two.makes(&[tool(0, &two.identity(), GREEN)]);
    let there = serve(&two).await;
    link(&one, "pull", &two, &key, &definition(Direction::Pull, &there));
    let here = serve(&one).await;
    until(|| one.holds(&id(0))).await;
    // Nothing is scheduled: only the notice can bring it.
    two.makes(&[tool(1, &two.identity(), GREEN)]);
    until(|| one.holds(&id(1))).await;
    link(&one, "push", &two, &key, &definition(Direction::Push, &there));
    one.makes(&[tool(2, &one.identity(), GREEN)]);
    until(|| two.holds(&id(2))).await;
    one.makes(&[tool(3, &one.identity(), GREEN)]);
    until(|| two.holds(&id(3))).await;
    for (name, objects) in [("pull", 2), ("push", 2)] {
        until(|| state::state(&*one.book, name).unwrap().objects >= objects).await;
        let kept = state::state(&*one.book, name).unwrap();
        assert_eq!((kept.objects, kept.failures, kept.last_error.clone()), (objects, 0, None), "{name}");
        assert!(kept.lag(node::clock::now()).is_some());
    }
    // A stream is open: it does not hold the end up.
    there.end().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_never_answers_and_one_that_refuses_do_not_hold_others_up() {
    let (one, two) = (Site::new("One"), Site::new("Two"));
    let key = two.trusts(&one);
    one.trusts(&two);
    two.makes(&[tool(0, &two.identity(), GREEN)]);
    // It takes connections, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = serve(&two).await;
    let every = |url: &str| Definition {
        every: Some(5),
        ..Definition::new(Direction::Pull, url, "shared", crate::site::COLLECTION)
    };
    link(&one, "silent", &two, &key, &every(&format!("http://{}/taxii2/", silent.local_addr().unwrap())));
    link(&one, "wrong", &two, "marsad_nobody", &every(&format!("{}taxii2/", there.url)));
    link(&one, "good", &two, &key, &every(&format!("{}taxii2/", there.url)));
    let here = serve(&one).await;
    until(|| one.holds(&id(0))).await;
    until(|| state::state(&*one.book, "wrong").unwrap().failures > 0).await;
    let kept = state::state(&*one.book, "wrong").unwrap();
    assert!(kept.last_error.as_deref().is_some_and(|error| error.contains("401")), "{kept:?}");
    assert!(kept.next.is_some(), "{kept:?}");
    assert_eq!(state::state(&*one.book, "good").unwrap().failures, 0);
    // A round that waits for an answer does not hold the end up.
    here.end().await;
    there.end().await;
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_rests_or_is_run_elsewhere_is_left_alone() {
    let (one, two) = (Site::new("One"), Site::new("Two"));
    let key = two.trusts(&one);
    one.trusts(&two);
    two.makes(&[tool(0, &two.identity(), GREEN)]);
    let there = serve(&two).await;
    let definition = Definition { every: Some(5), ..definition(Direction::Pull, &there) };
    link(&one, "pull", &two, &key, &definition);
    let lease = state::Lease::take(&*one.book, "pull", "another process", node::clock::now()).unwrap().unwrap();
    let journal = Arc::clone(&one.journal);
    let tools =
        node::partners::keeper::Tools::new(&one.home(), &one.config, &one.book, one.secret.clone(), journal).unwrap();
    let (_stop, stopping) = watch::channel(false);
    let ran = tools.run("pull", &stopping).await.unwrap();
    assert!(matches!(ran, node::partners::keeper::Ran::Busy) && one.records() == 0);
    lease.give_back(&*one.book, "pull").unwrap();
    let ran = tools.run("pull", &stopping).await.unwrap();
    assert!(matches!(ran, node::partners::keeper::Ran::Done(done) if done.added == 1));
    assert!(tools.run("nothing", &stopping).await.is_err());
    let _ = one.book.last();
    there.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_of_both_sides_arrive_with_a_round() {
    use node::partners::identity::{Surroundings, own, rotate};

    let (one, two) = (Site::new("One"), Site::new("Two"));
    let key = two.trusts(&one);
    one.trusts(&two);
    let there = serve(&two).await;
    link(&one, "pull", &two, &key, &definition(Direction::Pull, &there));
    let journal = Arc::clone(&one.journal);
    let tools =
        node::partners::keeper::Tools::new(&one.home(), &one.config, &one.book, one.secret.clone(), journal).unwrap();
    let (_stop, stopping) = watch::channel(false);
    tools.run("pull", &stopping).await.unwrap();
    for site in [&one, &two] {
        rotate(&*site.book, &site.secret, &Surroundings::default(), node::clock::now()).unwrap();
    }
    // Sealed with keys of which one has not heard.
    two.makes(&[tool(0, &two.identity(), GREEN)]);
    tools.run("pull", &stopping).await.unwrap();
    assert!(one.holds(&id(0)));
    for (site, other) in [(&one, &two), (&two, &one)] {
        let pinned = site.book.cards(&other.name).unwrap().into_iter().next().unwrap();
        assert_eq!(pinned.body, own(&*other.book, &other.secret).unwrap().card.text());
        assert_eq!(pinned.state, ledger::CardState::Pinned);
    }
    assert!(one.told().iter().any(|told| told.contains("card-told")), "{:?}", one.told());
    there.end().await;
}
