//! Bodies and credentials that nobody sends in good faith. After each the node serves on.

use super::objects::{envelope, object, tools};
use super::server::{ANALYST, KEEPER, Node, SECOND};
use super::transport::gzip;
use super::wire::{Connection, Request};

const OBJECTS: &str = "/exchange/collections/both/objects/";

fn post(body: &[u8]) -> Request {
    Request::new("POST", OBJECTS).by(ANALYST).carrying(body)
}

/// The limit holds for what is sent and for what comes out of it.
#[test]
fn bombs() {
    let node = Node::start(&["taxii.max-content-length=65536"]);
    let spaces = vec![b' '; 64 << 20];
    let fits = [envelope(&tools(1..2)).as_bytes(), &spaces[..60_000]].concat();
    // Empty blocks (RFC 1951 §3.2.4) unpack to nothing, however many there are.
    let nothing = [[31, 139, 8, 0, 0, 0, 0, 0, 0, 3].as_slice(), &[0, 0, 0, 255, 255].repeat(100_000)].concat();
    let table: &[(&str, &[u8], u16)] = &[
        ("gzip", &gzip(&fits), 202),
        ("gzip", &gzip(&spaces), 413),
        ("gzip", &nothing, 413),
        ("zstd", &zstd::encode_all(fits.as_slice(), 0).unwrap(), 202),
        ("zstd", &zstd::encode_all(spaces.as_slice(), 0).unwrap(), 413),
    ];
    for (encoding, body, status) in table {
        let request = post(body).with("Content-Encoding", encoding);
        for request in [request.clone(), request.chunked(4_096)] {
            let answer = node.send(&request);
            assert_eq!(answer.status, *status, "{encoding} {}: {}", body.len(), answer.text());
        }
    }
    node.still_serves();
}

/// Depth and numbers are bounded; what goes too far is refused by itself where it can be told apart.
#[test]
fn budgets() {
    let node = Node::start(&["taxii.max-objects=10", "limits.max-object-bytes=10000", "limits.max-values=1000"]);
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let within = |value: &str| object("tool", 1, 1).replace(r#""name""#, &format!(r#""x_a":{value},"name""#));
    let table = [
        (envelope(&tools(1..11)), 202, 0),
        (envelope(&tools(1..12)), 422, 0),
        (envelope(&vec!["7".into(); 11]), 422, 0),
        (envelope(&[within(&deep(50))]), 202, 0),
        // Beyond the limits on depth and size it is not known where an object ends.
        (envelope(&[within(&deep(70))]), 422, 0),
        (envelope(&[within(&deep(4_000))]), 422, 0),
        (envelope(&[within(&"[".repeat(4_000))]), 422, 0),
        (deep(1_000_000), 422, 0),
        ("[".repeat(1_000_000), 422, 0),
        (r#"{"objects":"#.repeat(100_000), 422, 0),
        (r#"{"objects":["#.repeat(100_000), 422, 0),
        (envelope(&[within(&format!("[{}0]", "0,".repeat(2_000)))]), 202, 1),
        (envelope(&[within(&format!("\"{}\"", "x".repeat(20_000)))]), 422, 0),
        (format!(r#"{{"x_a":{},"objects":[{}]}}"#, deep(1_000), object("tool", 1, 1)), 422, 0),
    ];
    for (body, status, failures) in table {
        let answer = node.post("both", &body);
        let start = &body[..body.len().min(300)];
        assert_eq!(answer.status, status, "{start}: {}", answer.text());
        if status == 202 {
            assert_eq!(answer.get("failure_count"), failures, "{start}: {}", answer.text());
        }
    }
    node.still_serves();
}

/// Who is slow waits alone, and is cut off.
#[test]
fn slow_clients() {
    let node = Node::start(&["limits.request-seconds=3", "limits.head-seconds=3"]);
    let body = envelope(&tools(1..2));
    let whole = post(body.as_bytes()).bytes();
    let chunked = post(body.as_bytes()).chunked(30).bytes();
    let asked = Request::new("GET", "/taxii2/").by(ANALYST).bytes();
    let table: &[(&[u8], &[u16])] = &[
        (b"", &[]),
        (b"GET /taxii2/ HTT", &[408]),
        (b"GET /taxii2/ HTTP/1.1\r\nHost: localhost\r\nAccept: applica", &[408]),
        (b"P", &[]),
        // One that was served may stay silent no longer than a new one.
        (&asked, &[200]),
        (&whole[..whole.len() - body.len()], &[408]),
        (&whole[..whole.len() - 3], &[408]),
        (&chunked[..chunked.len() - 4], &[408]),
    ];
    let mut slow: Vec<Connection> = table.iter().map(|_| node.connect()).collect();
    for (connection, (bytes, _)) in slow.iter_mut().zip(table) {
        connection.write(bytes);
    }
    node.still_serves();
    for (mut connection, (bytes, statuses)) in slow.into_iter().zip(table) {
        let answer = connection.answer(false);
        let sent = String::from_utf8_lossy(bytes);
        assert!(answer.is_none_or(|answer| statuses.contains(&answer.status)), "{sent}");
        assert!(connection.is_over(), "{sent}");
        node.still_serves();
    }
    assert_eq!(node.get(OBJECTS).text(), "{}", "half a request is none");
    // HTTP/2 is greeted, and cut off if nothing is asked.
    let mut connection = node.connect();
    connection.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    connection.rest();
    node.still_serves();
}

/// More connections than are served are turned away, and none of those that are.
#[test]
fn a_crowd() {
    let node = Node::start(&["limits.connections=3"]);
    let mut kept: Vec<Connection> = (0..3).map(|_| node.connect()).collect();
    for connection in &mut kept {
        assert_eq!(connection.ask(&Request::new("GET", "/taxii2/").by(ANALYST)).unwrap().status, 200);
    }
    assert!(node.connect().ask(&Request::new("GET", "/taxii2/")).is_none());
    for connection in &mut kept {
        assert_eq!(connection.ask(&Request::new("GET", "/exchange/").by(ANALYST)).unwrap().status, 200);
    }
}

/// A connection from another address of this machine.
#[cfg(target_os = "linux")]
fn from(address: &str, node: &Node) -> Connection {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let socket = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        socket.connect(node.address().parse().unwrap()).await.unwrap().into_std().unwrap()
    });
    socket.set_nonblocking(false).unwrap();
    Connection::over(socket)
}

/// Wrong passwords run out, for the name and for the address; others do not pay for it.
#[test]
#[cfg(target_os = "linux")]
fn guessing() {
    let node = Node::start(&["accounts.attempts-per-minute=5"]);
    node.command(&["collection", "add", "open", "--read", "anyone"]);
    let here = "127.0.0.1";
    // `keeper` with the passwords `0` to `9`.
    let guesses = ["A", "E", "I", "M", "Q", "U", "Y", "c", "g", "k"].map(|end| format!("Basic a2VlcGVyOj{end}="));
    let ask = |who: &str, address: &str| {
        from(address, &node).ask(&Request::new("GET", "/exchange/collections/open/").by(who)).unwrap()
    };
    assert_eq!(ask(ANALYST, here).status, 200);
    for (turn, guess) in guesses.iter().enumerate() {
        let answer = ask(guess, here);
        node.tells_nothing(&answer);
        assert_eq!(answer.status, if turn < 5 { 401 } else { 429 }, "{turn}");
        let wait: Option<u64> = answer.header("retry-after").map(|text| text.parse().unwrap());
        assert_eq!(wait.is_some_and(|seconds| (1..=61).contains(&seconds)), turn >= 5, "{turn}");
    }
    let table = [
        // The name is closed everywhere, even for its own password, the address for every name.
        (KEEPER, here, 429),
        (KEEPER, "127.0.0.2", 429),
        (SECOND, here, 429),
        (SECOND, "127.0.0.2", 200),
        // Whoever was right before, or asks as nobody, is served on.
        (ANALYST, here, 200),
        ("", here, 200),
    ];
    for (who, address, status) in table {
        assert_eq!(ask(who, address).status, status, "{who} {address}");
    }
}
