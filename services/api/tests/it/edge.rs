//! What happens to every request, whatever it asks for.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, StatusCode};
use futures_util::stream;
use microblog_domain::Role;
use serde_json::json;

use crate::harness::{TestApp, described};

#[tokio::test]
async fn unknown_addresses_and_wrong_methods_are_problems() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    for path in ["/nowhere", "/api/v1/nowhere", "/api/v1/posts/", "/%ff", "/api/v1/../v1"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        answer.problem("not_found");
    }
    let answer = client.delete("/api/v1/posts").await;
    answer.problem("method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
}

#[tokio::test]
async fn nothing_but_what_is_public_answers_to_somebody_unknown() {
    let app = TestApp::with(&[("rate_limit.api", "1000"), ("rate_limit.login", "1000")]).await;
    let mut guarded = 0;
    for (template, operations) in described()["paths"].as_object().unwrap() {
        let path = template.replace("{number}", "1").replace("{id}", "0190c1d2-7a3b-7c4d-8e5f-0123456789ab");
        for (method, operation) in operations.as_object().unwrap() {
            if operation.get("security").is_none() {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for client in [app.anonymous(), app.anonymous().with("cookie", "microblog_session=guessed")] {
                let answer = client.ask(method.clone(), &path, Body::empty()).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {template}");
                assert!(answer.header("www-authenticate").starts_with("Bearer"));
                answer.problem("unauthenticated");
            }
            guarded += 1;
        }
    }
    assert!(guarded > 30, "{guarded}");
}

#[tokio::test]
async fn an_author_is_refused_what_needs_more() {
    let app = TestApp::with(&[("rate_limit.api", "1000")]).await;
    let author = app.author().await;
    let mut refused = 0;
    for (template, operations) in described()["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let needs = operation["description"].as_str().unwrap_or_default();
            if !needs.contains("role editor") && !needs.contains("role owner") {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = author.ask(method, &template.replace("{id}", "1"), Body::empty()).await;
            answer.problem("forbidden");
            refused += 1;
        }
    }
    assert_eq!(refused, 13);
}

#[tokio::test]
async fn broken_bodies_are_told_apart() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let send = async |content_type: &str, body: &'static str| {
        author.with("content-type", content_type).ask(Method::POST, "/api/v1/posts", body.into()).await
    };
    for broken in ["{", "nonsense", "[1]", "\"text\"", "{\"a\":1}x", "\u{0}"] {
        send("application/json", broken).await.problem("invalid_body");
    }
    send("text/plain", "{}").await.problem("unsupported_media_type");
    send("application/x-www-form-urlencoded", "title=x").await.problem("unsupported_media_type");
    assert_eq!(
        send("application/json; charset=utf-8", "{\"nonsense\":1}").await.wrong_fields(),
        ["markdown", "nonsense"]
    );
    let deep = author.with("content-type", "application/json");
    let answer = deep.ask(Method::POST, "/api/v1/posts", "{\"extra\":".repeat(10_000).into()).await;
    answer.problem("invalid_body");
}

#[tokio::test]
async fn broken_queries_are_told_field_by_field() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let wrong = async |query: &str| author.get(&format!("/api/v1/posts?{query}")).await.wrong_fields();
    assert_eq!(wrong("limit=0&status=public&cursor=x&nonsense=1").await, ["status", "limit", "cursor", "nonsense"]);
    assert_eq!(wrong("limit=1&limit=2").await, ["limit"]);
    assert_eq!(wrong("tag=a%2Fb&order=size").await, ["tag", "order"]);
    author.get("/api/v1/posts/not-an-id").await.problem("not_found");
}

#[tokio::test]
async fn nothing_that_is_sent_makes_the_service_stumble() {
    let unlimited = ["login", "builds", "owner"].map(|name| format!("rate_limit.{name}"));
    let unlimited: Vec<_> = unlimited.iter().map(|key| (key.as_str(), "1000000")).collect();
    let app = TestApp::with(&unlimited).await;
    let owner = app.owner().await.with("if-match", "*").with("content-type", "application/json");
    let ids = ["0190c1d2-7a3b-7c4d-8e5f-0123456789ab", "18446744073709551616", "%00", "..%2f..%2fx", "%f0%9f%8e%89"];
    let bodies = [
        "{}",
        "null",
        r#"{"name":"\u0000","title":"\u0000","markdown":"\u0000","slug":"\u202e","extra":{"":{}},"password":""}"#,
        r#"{"published_at":"9999-12-31T23:59:59.999999999Z","version":18446744073709551615,"markdown":"x"}"#,
        r#"{"published_at":"-009999-01-01T00:00:00Z","markdown":"x","status":"published","tags":["a","A","\u00df"]}"#,
        r#"{"expires_at":"9999-12-31T00:00:00Z","name":"x","scopes":["read"],"mode":"full","posts_per_page":1e400}"#,
    ];
    let paths = described()["paths"].as_object().unwrap();
    // Probes may say that this machine is too slow.
    for (template, operations) in paths.iter().filter(|(template, _)| !template.starts_with("/health")) {
        for method in operations.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for (id, body) in ids.iter().flat_map(|id| bodies.map(|body| (id, body))) {
                let path = ["{id}", "{number}", "{hash}", "{name}", "{file}"];
                let path = path.iter().fold(template.clone(), |path, part| path.replace(part, id));
                let answer = owner.ask(method.clone(), &path, body.into()).await;
                assert!(!answer.status.is_server_error(), "{method} {path} {body}: {}", answer.text());
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let app = TestApp::with(&[("server.max_body", "2 KiB")]).await;
    let author = app.author().await;
    author.post("/api/v1/posts", json!({"markdown": "x".repeat(1_000)})).await.ok();
    let answer = author.post("/api/v1/posts", json!({"markdown": "x".repeat(3_000)})).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    answer.problem("too_large");
}

#[tokio::test]
async fn a_request_that_does_not_end_is_given_up_and_is_no_fault_of_the_service() {
    let app = TestApp::with(&[("server.request_timeout", "1s")]).await;
    let author = app.author().await.with("content-type", "application/json");
    let endless = Body::from_stream(stream::pending::<Result<String, std::io::Error>>());
    let answer = author.ask(Method::POST, "/api/v1/posts", endless).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    answer.problem("request_timeout");
}

#[tokio::test]
async fn request_ids_are_taken_if_sane_and_made_otherwise() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    let id = async |given: &str| client.with("x-request-id", given).get("/").await.header("x-request-id");
    assert_eq!(id("from-proxy.1").await, "from-proxy.1");
    for hostile in ["a b", "{\"x\":1}", &"x".repeat(10_000)] {
        let made = id(hostile).await;
        assert!(made != hostile && made.len() == 32, "{made}");
    }
}

#[tokio::test]
async fn every_answer_makes_browsers_careful() {
    let app = TestApp::new().await;
    for path in ["/", "/api/docs", "/nowhere", "/api/v1/posts", "/health"] {
        let answer = app.anonymous().get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("strict-transport-security"), "");
    }
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_can_read_it() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    assert_eq!(client.get("/api/docs").await.header("content-encoding"), "");
    assert_eq!(client.with("accept-encoding", "gzip").get("/api/docs").await.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn clients_that_ask_too_often_are_told_when_to_come_back() {
    let app = TestApp::with(&[("rate_limit.api", "3")]).await;
    let (author, other) = (app.author().await, app.user("otto", Role::Author).await);
    for _ in 0..3 {
        author.get("/api/v1/session").await.ok();
    }
    let answer = author.get("/api/v1/session").await;
    answer.problem("rate_limited");
    assert_eq!((answer.status, &*answer.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "20"));
    other.get("/api/v1/session").await.ok();
    app.anonymous().get("/health/live").await.ok();
    app.wait(20);
    author.get("/api/v1/session").await.ok();
    author.get("/api/v1/session").await.problem("rate_limited");
}

#[tokio::test]
async fn owners_have_an_allowance_of_their_own() {
    let app = TestApp::with(&[("rate_limit.api", "1"), ("rate_limit.owner", "5")]).await;
    let owner = app.owner().await;
    for _ in 0..5 {
        owner.get("/api/v1/session").await.ok();
    }
    owner.get("/api/v1/session").await.problem("rate_limited");
}

#[tokio::test]
async fn who_guesses_tokens_runs_out_of_attempts() {
    let app = TestApp::with(&[("rate_limit.api", "3")]).await;
    for attempt in 0..3 {
        let guesser = app.anonymous().with("authorization", &format!("Bearer mb_{attempt}"));
        guesser.get("/api/v1/posts").await.problem("unauthenticated");
    }
    app.anonymous().with("authorization", "Bearer mb_3").get("/api/v1/posts").await.problem("rate_limited");
    app.author().await.get("/api/v1/posts").await.ok();
}

#[tokio::test]
async fn only_a_trusted_proxy_may_say_who_the_client_is() {
    let app = TestApp::with(&[("rate_limit.api", "1"), ("server.trusted_proxies", "10.0.0.0/8")]).await;
    let ask = async |peer: [u8; 4], forwarded: &str| {
        let client = app.anonymous().with("x-forwarded-for", forwarded).with("x-forwarded-proto", "https");
        let mut request = client.request(Method::GET, "/api/docs", Body::empty());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 1))));
        app.send(request).await
    };
    assert_eq!(ask([10, 0, 0, 1], "198.51.100.1").await.status(), StatusCode::OK);
    let other = ask([10, 0, 0, 1], "198.51.100.2").await;
    assert_eq!(other.status(), StatusCode::OK);
    assert!(other.headers().contains_key("strict-transport-security"));
    assert_eq!(ask([10, 0, 0, 1], "198.51.100.2").await.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask([203, 0, 113, 9], "198.51.100.3").await.status(), StatusCode::OK);
    assert_eq!(ask([203, 0, 113, 9], "198.51.100.4").await.status(), StatusCode::TOO_MANY_REQUESTS);
}
