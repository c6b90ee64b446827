use super::*;

/// What a server holds: (seconds of the date of addition, name).
type Shelf = Vec<(i64, &'static str)>;

fn object(name: &str) -> String {
    format!(r#"{{"id":"tool--{name}", "modified":"2020-01-01T00:00:00.000Z"}}"#)
}

fn date(second: i64) -> String {
    stix::timestamp::format_micros(second * 1_000_000)
}

type Answers = Box<dyn FnMut() -> Response<Bytes> + Send>;

/// How a server pages.
#[derive(Clone, Copy)]
struct Manners {
    /// Gives a `next`.
    next: bool,
    /// Reads `added_after` as "at or after".
    inclusive: bool,
    /// Objects that it puts on a page at most.
    most: usize,
    /// Says `more` on the last full page, and then gives an empty one.
    trailing: bool,
}

const GOOD: Manners = Manners { next: true, inclusive: false, most: 100, trailing: false };

fn server(
    shelf: Shelf,
    manners: Manners,
) -> impl FnMut(&Request<Bytes>) -> Result<Response<Bytes>, Failure> + Send + 'static {
    move |request| {
        let after = parameter(request, "added_after").map_or(-1, |after| after.parse::<i64>().unwrap() / 1_000_000);
        let skip: usize = parameter(request, "next").map_or(0, |next| next.parse().unwrap());
        let limit = parameter(request, "limit").unwrap().parse::<usize>().unwrap().min(manners.most);
        let matching = shelf.iter().filter(|(at, _)| *at > after || (manners.inclusive && *at == after));
        let rest: Vec<_> = matching.skip(skip).collect();
        let page = &rest[..rest.len().min(limit)];
        let more = rest.len() > page.len() || (manners.trailing && page.len() == limit);
        let next = if manners.next && more { format!(r#","next":"{}""#, skip + page.len()) } else { String::new() };
        let objects: Vec<String> = page.iter().map(|(_, name)| object(name)).collect();
        let body = format!(r#"{{"more":{more}{next},"objects":[{}]}}"#, objects.join(","));
        Ok(page.last().map_or_else(|| answer(200, "{}"), |(at, _)| dated(&body, &date(*at))))
    }
}

/// Reads to the end: the names, how many came again, the last position, or the error.
fn read_all(client: &Client<Fake>, from: Position) -> (Vec<String>, usize, Position, Result<(), Error>) {
    let mut pull = client.pull(&address("https://a.example/api/collections/c/objects/"), &Selection::default(), from);
    let (mut names, mut repeated, mut position) = (Vec::new(), 0, Position::default());
    loop {
        match now(pull.next_page()) {
            Ok(Some(page)) => {
                names.extend(page.objects.iter().map(|body| {
                    let text = std::str::from_utf8(body).unwrap();
                    text.split_once("tool--").unwrap().1.split_once('"').unwrap().0.to_owned()
                }));
                repeated += page.repeated;
                position = page.position;
            }
            Ok(None) => return (names, repeated, position, Ok(())),
            Err(error) => return (names, repeated, position, Err(error)),
        }
    }
}

#[test]
fn every_object_once_in_order() {
    let spread = || vec![(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")];
    let tied = || vec![(1, "a"), (2, "b"), (2, "c"), (2, "d"), (2, "e"), (3, "f")];
    let by_date = Manners { next: false, ..GOOD };
    let inclusive = Manners { next: false, inclusive: true, ..GOOD };
    for (what, shelf, manners, repeated) in [
        ("next", spread(), GOOD, 0),
        ("next, small pages", spread(), Manners { most: 1, ..GOOD }, 0),
        ("next, ties", tied(), GOOD, 0),
        ("next, an empty last page", spread()[..4].to_vec(), Manners { trailing: true, ..GOOD }, 0),
        ("next, a page that comes again later", vec![(1, "a"), (2, "b"), (3, "a"), (4, "b"), (5, "c")], GOOD, 0),
        ("by date", spread(), by_date, 0),
        ("by date, an empty last page", spread()[..4].to_vec(), Manners { trailing: true, ..by_date }, 0),
        ("inclusive", spread(), inclusive, 3),
        ("inclusive, ties", tied(), inclusive, 3),
        ("nothing", vec![], GOOD, 0),
    ] {
        let wanted: Vec<&str> = shelf.iter().map(|(_, name)| *name).collect();
        let last = shelf.last().map(|(at, _)| date(*at));
        let client = client(server(shelf, manners));
        let (names, again, position, outcome) = read_all(&client, Position::default());
        outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(names, wanted, "{what}");
        assert_eq!(again, repeated, "{what}");
        assert_eq!(position, Position { added_after: last.clone(), next: None, last }, "{what}");
    }
}

#[test]
fn bodies_are_the_servers_bytes() {
    let client = client(|_| Ok(answer(200, r#"{"objects":[ {"id" : "é", "x":1e2} ,{"id":"\u0041"}]}"#)));
    let mut pull = client.pull(&address("https://a.example/o/"), &Selection::default(), Position::default());
    let page = now(pull.next_page()).unwrap().unwrap();
    assert_eq!(page.objects, [r#"{"id" : "é", "x":1e2}"#, r#"{"id":"\u0041"}"#]);
}

#[test]
fn goes_on_from_every_position() {
    let shelf = || vec![(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")];
    for manners in [GOOD, Manners { next: false, ..GOOD }, Manners { next: false, inclusive: true, ..GOOD }] {
        let objects = address("https://a.example/o/");
        for stop in 1..=3 {
            let first = client(server(shelf(), manners));
            let mut pull = first.pull(&objects, &Selection::default(), Position::default());
            let mut names = Vec::new();
            let mut position = Position::default();
            for _ in 0..stop {
                if let Some(page) = now(pull.next_page()).unwrap() {
                    names.extend(page.objects);
                    position = page.position;
                }
            }
            let kept = serde_json::to_string(&position).unwrap();
            let second = client(server(shelf(), manners));
            let (rest, _, _, outcome) = read_all(&second, serde_json::from_str(&kept).unwrap());
            outcome.unwrap();
            let mut all: Vec<String> = names.iter().map(|body| String::from_utf8(body.to_vec()).unwrap()).collect();
            all.extend(rest.iter().map(|name| object(name)));
            // An inclusive server gives the object of the boundary again; the ledger knows it.
            all.dedup();
            assert_eq!(all, ["a", "b", "c", "d", "e"].map(object), "after {stop} pages");
        }
    }
}

#[test]
fn a_forgotten_cursor_falls_back_to_the_date() {
    let shelf = vec![(1, "a"), (2, "b"), (3, "c")];
    let mut good = server(shelf, GOOD);
    let client =
        client(
            move |request| {
                if parameter(request, "next").as_deref() == Some("77") { Ok(answer(400, "{}")) } else { good(request) }
            },
        );
    let from = Position { next: Some("77".into()), last: Some(date(1)), added_after: None };
    let (names, _, _, outcome) = read_all(&client, from);
    outcome.unwrap();
    assert_eq!(names, ["b", "c"]);
}

#[test]
fn servers_that_do_not_end_are_left() {
    let envelope = |more: &str| format!(r#"{{"more":true,{more}"objects":[{}]}}"#, object("a"));
    let mut count = 0;
    let mut counted = move |body: &dyn Fn(u32) -> String| {
        count += 1;
        body(count)
    };
    let cases: Vec<(&str, Answers)> = vec![
        ("the same `next` came twice", {
            let body = envelope(r#""next":"x","#);
            Box::new(move || answer(200, body.clone()))
        }),
        (
            "the same page came twice",
            Box::new(move || {
                answer(
                    200,
                    counted(&|n| {
                        format!(r#"{{"more":true,"next":"{n}","objects":[{{"id":"tool--x","created":"y"}}]}}"#)
                    }),
                )
            }),
        ),
        ("neither `next` nor X-TAXII-Date-Added-Last", {
            let body = envelope("");
            Box::new(move || answer(200, body.clone()))
        }),
        ("more objects have one date of addition", {
            let body = envelope("");
            Box::new(move || dated(&body, "2020-01-01T00:00:00.000000Z"))
        }),
        ("dates of addition go backwards", {
            let body = envelope("");
            let mut year = 2020;
            Box::new(move || {
                year -= 1;
                dated(&body, &format!("{year}-01-01T00:00:00.000000Z"))
            })
        }),
        ("nothing new, and says that there is more", {
            let mut n = 0;
            Box::new(move || {
                n += 1;
                answer(200, format!(r#"{{"more":true,"next":"{n}"}}"#))
            })
        }),
        ("longer than fits", {
            let body = envelope(&format!(r#""next":"{}","#, "x".repeat(5_000)));
            Box::new(move || answer(200, body.clone()))
        }),
        ("cannot be read", Box::new(|| answer(200, r#"{"more":true,"objects":[{"id":"#))),
        ("cannot be read", Box::new(|| answer(200, r#"{"objects":{"id":1}}"#))),
        ("cannot be read", Box::new(|| answer(200, "["))),
        ("no answer", Box::new(|| answer(200, vec![b' '; 20_000]))),
        ("calls itself nothing", Box::new(|| Response::new(Bytes::from_static(b"{}")))),
        ("answered 500", Box::new(|| answer(500, "oops"))),
        (
            "calls itself application/json",
            Box::new(|| Response::builder().header(CONTENT_TYPE, "application/json").body(Bytes::new()).unwrap()),
        ),
    ];
    for (wanted, mut play) in cases {
        let client = client(move |_| Ok(play()));
        let (_, _, _, outcome) = read_all(&client, Position::default());
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

#[test]
fn more_and_nothing_ends_with_a_warning() {
    let client = client(|_| Ok(answer(200, r#"{"more":true}"#)));
    let mut pull = client.pull(&address("https://a.example/o/"), &Selection::default(), Position::default());
    assert!(now(pull.next_page()).unwrap().unwrap().warning.is_some());
    assert!(pull.is_done() && now(pull.next_page()).unwrap().is_none());
}

#[test]
fn dates_that_lie_do_not_move_the_position() {
    for last in ["9999-12-31T23:59:59.000000Z", "2026-11-25T12:00:00Z", "undefined", "Thu, 20 Feb 2025 00:00:00 GMT"] {
        let client = client(move |_| Ok(dated(&format!(r#"{{"objects":[{}]}}"#, object("a")), last)));
        let from = Position { added_after: Some(date(5)), ..Position::default() };
        let mut pull = client.pull(&address("https://a.example/o/"), &Selection::default(), from);
        let page = now(pull.next_page()).unwrap().unwrap();
        assert_eq!((page.objects.len(), page.position.added_after), (1, Some(date(5))), "{last}");
        assert!(page.warning.is_some(), "{last}");
    }
}

#[test]
fn slow_and_large_pages_are_asked_for_in_smaller_ones() {
    for cause in [Cause::Slow, Cause::TooLarge] {
        let mut good = server(vec![(1, "a"), (2, "b"), (3, "c")], GOOD);
        let client = client(move |request| {
            let limit = parameter(request, "limit");
            if limit.as_deref() == Some("1") { good(request) } else { Err(Failure::new(cause, "too much")) }
        });
        let (names, _, _, outcome) = read_all(&client, Position::default());
        outcome.unwrap();
        assert_eq!(names, ["a", "b", "c"]);
    }
}

#[test]
fn the_query_is_the_same_on_every_page() {
    let client = client(server(vec![(1, "a"), (2, "b"), (3, "c")], GOOD));
    let selection = Selection {
        types: vec!["tool".into(), "malware".into()],
        versions: Some("all".into()),
        spec_versions: vec!["2.1".into()],
    };
    let mut pull = client.pull(&address("https://a.example/o/"), &selection, Position::default());
    while now(pull.next_page()).unwrap().is_some() {}
    let asked = client.transport().asked.lock().unwrap();
    let filters = "match%5Btype%5D=tool%2Cmalware&match%5Bversion%5D=all&match%5Bspec_version%5D=2.1";
    assert_eq!(*asked, [format!("GET /o/?limit=2&{filters}"), format!("GET /o/?limit=2&{filters}&next=2")]);
}
