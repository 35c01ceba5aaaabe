use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

use super::*;
use crate::net::receiver::QuestionAnswer;

const WORKSPACE: &str = "https://4319-me-app.ws-eu11.gitpod.io";

async fn open(url: Option<&str>) -> (PageServer, mpsc::Receiver<PageRequest>, SocketAddr) {
    let url = url.map(str::to_owned);
    let (server, requests) = PageServer::bind(0, |_| url).await.unwrap();
    let address = server.guard.address;
    (server, requests, address)
}

/// Sends a request with these headers; `Host` is the address unless one of them.
async fn send(address: SocketAddr, line: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let host = if headers.lines().any(|line| line.starts_with("Host:")) {
        String::new()
    } else {
        format!("Host: {address}\r\n")
    };
    let head = format!("{line} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    read.expect("the answer ends").unwrap();
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn token(server: &PageServer) -> String {
    server.url().split_once("?token=").unwrap().1.to_owned()
}

/// Comes in by the address, as a browser does; the header that it sends from then on.
async fn enter(server: &PageServer, address: SocketAddr) -> String {
    let answer = send(address, &format!("GET /?token={}", token(server)), "").await;
    assert_eq!(status(&answer), 303, "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    format!("Cookie: {}\r\n", cookie.split(';').next().unwrap())
}

/// Answers each question by its own text.
fn echo(mut requests: mpsc::Receiver<PageRequest>) {
    tokio::spawn(async move {
        while let Some(request) = requests.recv().await {
            if let PageRequest::Ask(ReceivedQuestion { text, answer }) = request {
                let _ =
                    answer.send(QuestionAnswer { status: 200, document: json!({ "asked": text }) });
            }
        }
    });
}

#[tokio::test]
async fn the_address_lets_one_browser_in_and_is_led_away_from() {
    let (server, mut requests, address) = open(None).await;
    let first = server.url();
    assert!(first.starts_with(&format!("http://{address}/?token=")), "{first}");
    let used = token(&server);
    assert!(used.len() >= 64, "{used}");
    let answer = send(address, &format!("GET /?token={used}"), "").await;
    assert_eq!(status(&answer), 303);
    assert!(answer.contains("location: ./\r\n") && !answer.contains(&used), "{answer}");
    let Some(PageRequest::Entered(next)) = requests.recv().await else { panic!("nobody entered") };
    assert_eq!(next, server.url());
    assert_ne!(next, first);
    assert_eq!(status(&send(address, &format!("GET /?token={used}"), "").await), 401);
    echo(requests);
    let cookie = enter(&server, address).await;
    let first_token = token(&server);
    let again = send(address, &format!("GET /?token={used}"), &cookie).await;
    assert_eq!(status(&again), 303, "who is in may follow the old address");
    assert_eq!(token(&server), first_token, "and uses up no other");
    for wrong in ["", "x", &used[..63], &format!("{first_token}0")] {
        assert_eq!(
            status(&send(address, &format!("GET /?token={wrong}"), "").await),
            401,
            "{wrong}"
        );
    }
    let fetched =
        send(address, &format!("GET /?token={first_token}"), "Sec-Purpose: prefetch\r\n").await;
    assert_eq!((status(&fetched), token(&server)), (503, first_token), "nobody has seen it");
}

#[tokio::test]
async fn questions_and_news_need_the_cookie() {
    let (server, requests, address) = open(None).await;
    echo(requests);
    for path in ["/api?x", "/events"] {
        assert_eq!(status(&send(address, &format!("GET {path}"), "").await), 401, "{path}");
        let wrong = format!("Cookie: cruddur_ops_{}={}\r\n", address.port(), token(&server));
        assert_eq!(status(&send(address, &format!("GET {path}"), &wrong).await), 401, "{path}");
    }
    let cookie = enter(&server, address).await;
    let answer = send(address, "GET /api?x%20y", &format!("Cookie: a=b\r\n{cookie}")).await;
    assert!(answer.ends_with(r#"{"asked":"x%20y"}"#), "{answer}");
    for path in ["/", "/app.js", "/style.css", "/icon.svg"] {
        assert_eq!(status(&send(address, &format!("GET {path}"), "").await), 200, "{path}");
    }
    assert_eq!(status(&send(address, "GET /../Cargo.toml", &cookie).await), 404);
}

#[tokio::test]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let (server, requests, address) = open(None).await;
    echo(requests);
    let cookie = enter(&server, address).await;
    for (line, status_wanted) in [
        ("GET /", 200),
        ("GET /api?x", 200),
        ("GET /no", 404),
        ("POST /", 405),
        ("GET /?token=x", 303),
    ] {
        let answer = send(address, line, &cookie).await;
        assert_eq!(status(&answer), status_wanted, "{line}");
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';",
            "frame-ancestors 'none'",
            "form-action 'none'",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
        ] {
            assert!(answer.contains(header), "{line}: {header}\n{answer}");
        }
        assert!(!answer.to_lowercase().contains("access-control-"), "{answer}");
    }
}

#[tokio::test]
async fn only_this_machine_and_this_workspace_are_names_of_the_page() {
    let (_server, _requests, address) = open(Some(WORKSPACE)).await;
    let port = address.port();
    for (host, wanted) in [
        (format!("localhost:{port}"), 200),
        ("localhost".to_owned(), 200),
        ("127.0.0.1:9".to_owned(), 200),
        ("[::1]".to_owned(), 200),
        ("4319-me-app.ws-eu11.gitpod.io".to_owned(), 200),
        ("4319-other.ws-eu11.gitpod.io".to_owned(), 421),
        ("x.4319-me-app.ws-eu11.gitpod.io".to_owned(), 421),
        ("evil.example".to_owned(), 421),
        ("localhost.evil.example".to_owned(), 421),
        ("127.0.0.1.evil.example".to_owned(), 421),
        ("host.docker.internal".to_owned(), 421),
        ("192.168.1.2".to_owned(), 421),
        ("x@localhost".to_owned(), 421),
        (String::new(), 421),
    ] {
        let answer = send(address, "GET /", &format!("Host: {host}\r\n")).await;
        assert_eq!(status(&answer), wanted, "{host}");
    }
    let absolute = send(address, "GET http://evil.example/", &format!("Host: {address}\r\n")).await;
    assert_eq!(status(&absolute), 421, "{absolute}");
}

#[tokio::test]
async fn other_pages_get_nothing_however_they_ask() {
    let (server, requests, address) = open(Some(WORKSPACE)).await;
    echo(requests);
    let cookie = enter(&server, address).await;
    let port = address.port();
    let own_origin = format!("Origin: http://localhost:{port}\r\n");
    let outside = format!("Origin: {WORKSPACE}\r\nHost: 4319-me-app.ws-eu11.gitpod.io\r\n");
    for headers in [
        own_origin.as_str(),
        outside.as_str(),
        "Sec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: none\r\n",
    ] {
        let answer = send(address, "GET /api?x", &format!("{cookie}{headers}")).await;
        assert_eq!(status(&answer), 200, "{headers}");
    }
    for headers in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://localhost:3000\r\n",
        "Origin: https://3000-me-app.ws-eu11.gitpod.io\r\n",
        "Origin: http://4319-me-app.ws-eu11.gitpod.io\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
    ] {
        let answer = send(address, "GET /api?x", &format!("{cookie}{headers}")).await;
        assert_eq!(status(&answer), 403, "{headers}");
    }
    let link = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: ";
    assert_eq!(status(&send(address, "GET /", &format!("{link}document\r\n")).await), 200);
    assert_eq!(status(&send(address, "GET /", &format!("{link}iframe\r\n")).await), 403);
}

#[tokio::test]
async fn nothing_is_sent_here_and_questions_are_short() {
    let (server, requests, address) = open(None).await;
    echo(requests);
    let cookie = enter(&server, address).await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"] {
        let answer = send(address, &format!("{method} /api?x"), &cookie).await;
        assert_eq!(status(&answer), 405, "{method}");
    }
    for body in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        let answer = send(address, "GET /api?x", &format!("{cookie}{body}")).await;
        assert_eq!(status(&answer), 413, "{body}");
    }
    let long = "x".repeat(limits::PAGE_QUESTION_BYTES + 1);
    assert_eq!(status(&send(address, &format!("GET /api?{long}"), &cookie).await), 413);
}

#[tokio::test]
async fn streams_tell_of_changes_are_few_and_end_with_the_page() {
    let (server, requests, address) = open(None).await;
    echo(requests);
    let cookie = enter(&server, address).await;
    let head = format!("GET /events HTTP/1.1\r\nHost: {address}\r\n{cookie}\r\n");
    let mut streams = Vec::new();
    for _ in 0..limits::PAGE_STREAMS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        hear(&mut stream, "data: 0\n\n").await;
        streams.push(stream);
    }
    assert_eq!(status(&send(address, "GET /events", &cookie).await), 503);
    server.announce();
    hear(&mut streams[0], "data: 1\n\n").await;
    // Many changes are one event.
    for _ in 0..1000 {
        server.announce();
    }
    hear(&mut streams[0], "data: 1001\n\n").await;
    drop(streams.pop());
    let freed = async {
        loop {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut start = [0; 12];
            stream.read_exact(&mut start).await.unwrap();
            if start == *b"HTTP/1.1 200" {
                return stream;
            }
        }
    };
    let last = timeout(Duration::from_secs(20), freed).await;
    streams.push(last.expect("a reader that leaves gives its place up"));
    server.close().await;
    let mut rest = Vec::new();
    let ended = timeout(Duration::from_secs(20), streams[0].read_to_end(&mut rest)).await;
    ended.expect("a stream ends with the page").unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

/// Reads until `text` has come.
async fn hear(stream: &mut TcpStream, text: &str) {
    let mut received = String::new();
    let mut chunk = [0; 4096];
    let listen = async {
        while !received.contains(text) {
            let length = stream.read(&mut chunk).await.unwrap();
            assert!(length > 0, "{received}");
            received.push_str(std::str::from_utf8(&chunk[..length]).unwrap());
        }
    };
    timeout(Duration::from_secs(20), listen).await.unwrap_or_else(|_| panic!("no {text:?}"));
}
