//! Tokens that are not ours: every known way to talk a server into believing a JWT. Each is refused with 401
//! and one code, whatever is asked, over every way in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use crate::support::{JWT_SECRET, Socket, TestApp};

/// A public key such as an attacker would find on a server that signs with the private one (RFC 8032's
/// first test vector, in the form that libraries take).
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token of these parts, signed with HMAC-SHA-256 whatever its header says.
fn signed(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    let signature = URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
    format!("{message}.{signature}")
}

/// What a genuine token is made of.
struct Genuine {
    token: String,
    header: Value,
    claims: Value,
}

impl Genuine {
    fn of(token: &str) -> Self {
        let mut parts = token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
            serde_json::from_slice(&bytes).unwrap_or_default()
        });
        Self {
            header: parts.next().unwrap(),
            claims: parts.next().unwrap(),
            token: token.to_owned(),
        }
    }

    /// Signed with the right secret, after a change to the header.
    fn with_header(&self, change: &Value) -> String {
        let mut header = self.header.clone();
        for (name, value) in change.as_object().unwrap() {
            header[name] = value.clone();
        }
        signed(&header, &self.claims, JWT_SECRET.as_bytes())
    }

    /// Signed with the right secret, after a change to the claims; null takes one away.
    fn with_claims(&self, change: &Value) -> String {
        let mut claims = self.claims.clone();
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().shift_remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        signed(&self.header, &claims, JWT_SECRET.as_bytes())
    }

    /// Changed claims under the old signature.
    fn tampered(&self, change: &Value) -> String {
        let changed = self.with_claims(change);
        let parts: Vec<_> = changed.split('.').collect();
        let old: Vec<_> = self.token.split('.').collect();
        format!("{}.{}.{}", old[0], parts[1], old[2])
    }
}

#[expect(clippy::too_many_lines, reason = "a list")]
fn forgeries(genuine: &Genuine, other: &Genuine) -> Vec<(String, String)> {
    let now = Utc::now().timestamp();
    let parts: Vec<&str> = genuine.token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let secret = JWT_SECRET.as_bytes();
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, token: String| all.push((name.to_owned(), token));
    for none in ["none", "None", "NONE", "nOnE", "", "HS256 ", "hs256"] {
        let header = json!({ "alg": none, "typ": "JWT" });
        let unsigned = format!("{}.{claims}.", encoded(&header));
        add(&format!("alg {none:?}, unsigned"), unsigned.clone());
        add(
            &format!("alg {none:?}, old signature"),
            format!("{unsigned}{signature}"),
        );
        add(
            &format!("alg {none:?}, signed"),
            signed(&header, &genuine.claims, secret),
        );
    }
    for algorithm in ["HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA"] {
        let header = json!({ "alg": algorithm, "typ": "JWT" });
        add(
            &format!("{algorithm}, signed as HS256"),
            signed(&header, &genuine.claims, secret),
        );
        add(
            &format!("{algorithm}, keyed with the public key"),
            signed(&header, &genuine.claims, PUBLIC_KEY.as_bytes()),
        );
    }
    add(
        "HS256 with the public key",
        signed(&genuine.header, &genuine.claims, PUBLIC_KEY.as_bytes()),
    );
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let key = EncodingKey::from_secret(secret);
        let token = jsonwebtoken::encode(&Header::new(algorithm), &genuine.claims, &key).unwrap();
        add("another HMAC with the right secret", token);
    }
    for blank in [
        "",
        " ",
        "\0",
        "secret",
        "null",
        "undefined",
        &JWT_SECRET[..31],
        &format!("{JWT_SECRET} "),
    ] {
        add(
            &format!("the secret {blank:?}"),
            signed(&genuine.header, &genuine.claims, blank.as_bytes()),
        );
    }
    let long = "k".repeat(4_000);
    for kid in [
        "../../../../dev/null",
        "/dev/null",
        "' union select '' --",
        "0; select pg_sleep(9)",
        "|sleep 9",
        "\u{0}",
        &long,
    ] {
        let header = json!({ "alg": "HS256", "typ": "JWT", "kid": kid });
        add(
            &format!("kid {:?} and no secret", &kid[..kid.len().min(30)]),
            signed(&header, &genuine.claims, b""),
        );
    }
    for (name, value) in [
        ("jku", json!("http://127.0.0.1:1/keys.json")),
        ("x5u", json!("http://127.0.0.1:1/cert.pem")),
        (
            "jwk",
            json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode("mine"), "alg": "HS256" }),
        ),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = genuine.header.clone();
        header[name] = value;
        add(
            &format!("a key of its own in {name}"),
            signed(&header, &genuine.claims, b"mine"),
        );
    }
    for (name, change) in [
        ("another issuer", json!({ "iss": "xboard2" })),
        ("no issuer", json!({ "iss": null })),
        ("issuers", json!({ "iss": ["other"] })),
        ("another audience", json!({ "aud": "xboard-admin" })),
        ("no audience", json!({ "aud": null })),
        ("no expiry", json!({ "exp": null })),
        ("an expiry that is text", json!({ "exp": "9999999999" })),
        ("an expiry beyond numbers", json!({ "exp": 1e300 })),
        ("expired", json!({ "exp": now - 60 })),
        ("expired at the beginning of time", json!({ "exp": 0 })),
        ("expired before it", json!({ "exp": i64::MIN })),
        ("not yet", json!({ "nbf": now + 3_600 })),
        ("no beginning", json!({ "nbf": null })),
        ("issued in the future", json!({ "iat": now + 3_600 })),
        ("good for years", json!({ "exp": now + 100_000_000 })),
        ("no user", json!({ "sub": null })),
        ("no store", json!({ "tid": null })),
        ("no session", json!({ "sid": null })),
        ("a user that is no id", json!({ "sub": "' or 1=1 --" })),
        ("the other's session", json!({ "sid": other.claims["sid"] })),
        ("the other's store", json!({ "tid": other.claims["tid"] })),
        ("the other's user", json!({ "sub": other.claims["sub"] })),
        (
            "a store of zeros",
            json!({ "tid": "00000000-0000-0000-0000-000000000000" }),
        ),
    ] {
        add(name, genuine.with_claims(&change));
    }
    for (name, change) in [
        ("tampered store", json!({ "tid": other.claims["tid"] })),
        ("tampered end", json!({ "exp": now + 3_600 })),
        ("tampered with a role", json!({ "role": "OWNER" })),
    ] {
        add(name, genuine.tampered(&change));
    }
    // The last character of the signature carries two bits that mean nothing: only zeros are right.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(&signature[42..]).unwrap();
    let stray = format!("{}{}", &signature[..42], &alphabet[last + 1..last + 2]);
    let swapped = if signature.starts_with('A') { 'B' } else { 'A' };
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        header.to_owned(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{header}.{claims}.{signature}.{signature}"),
        format!("{header}.{claims}.{signature}."),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}.{}", &signature[..signature.len() - 2]),
        format!("{header}.{claims}.{swapped}{}", &signature[1..]),
        format!("{header}.{claims}.{}", "A".repeat(43)),
        format!("{header}.{claims}.{stray}"),
        format!("{header} .{claims}.{signature}"),
        format!("{header}. {claims}.{signature}"),
        format!("{header}.{claims}.{}.", "x".repeat(100)),
        format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode("[]")),
        format!(
            "{}.{claims}.{signature}",
            URL_SAFE_NO_PAD.encode("{\"alg\":")
        ),
        format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("null")),
        format!("{header}.{claims}.{signature} {header}"),
        format!("%65{}", &genuine.token[1..]),
        "xbr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "x".repeat(7_000),
        ".".repeat(7_000),
        "{}.{}.{}".to_owned(),
    ] {
        add(
            &format!("malformed {:?}", &token[..token.len().min(40)]),
            token,
        );
    }
    all
}

/// Sends a question that anybody may ask with these headers; status, challenge and code.
async fn ask(app: &TestApp, headers: HeaderMap) -> (StatusCode, bool, Value) {
    let request = app
        .post()
        .json(&json!({ "query": "{ __typename }" }))
        .headers(headers);
    let response = request.send().await.unwrap();
    let status = response.status();
    let challenged = response
        .headers()
        .get(WWW_AUTHENTICATE)
        .is_some_and(|value| {
            value
                .as_bytes()
                .starts_with(b"Bearer realm=\"xboard\", error=\"invalid_token\"")
        });
    let body: Value = response.json().await.unwrap();
    assert!(
        status == StatusCode::OK || body.get("data").is_none(),
        "{body}"
    );
    let code = body.pointer("/errors/0/extensions/code").cloned();
    (status, challenged, code.unwrap_or_default())
}

fn bearer(value: &[u8]) -> HeaderMap {
    let value = HeaderValue::from_bytes(value).unwrap();
    [(AUTHORIZATION, value)].into_iter().collect()
}

const REFUSED: (StatusCode, bool) = (StatusCode::UNAUTHORIZED, true);

#[tokio::test]
async fn no_forged_token_is_believed_and_all_are_refused_alike() {
    let app = TestApp::start().await;
    let genuine = Genuine::of(&app.register_shop("engines").await.token);
    let other = Genuine::of(&app.register_shop("looms").await.token);
    // What is forged below holds when nothing is changed: the forgeries are refused for their own sake.
    let untouched = signed(&genuine.header, &genuine.claims, JWT_SECRET.as_bytes());
    for good in [
        genuine.token.clone(),
        untouched,
        genuine.with_claims(&json!({ "more": 1 })),
    ] {
        let answer = ask(&app, bearer(format!("Bearer {good}").as_bytes())).await;
        assert_eq!(answer, (StatusCode::OK, false, Value::Null));
    }
    // A hint at a key is no key: the one secret signs, whatever the header points at.
    for hint in [
        json!({ "kid": "../../etc/passwd" }),
        json!({ "jku": "http://127.0.0.1:1/" }),
    ] {
        let hinted = genuine.with_header(&hint);
        let answer = ask(&app, bearer(format!("Bearer {hinted}").as_bytes())).await;
        assert_eq!(answer.0, StatusCode::OK);
    }
    for (name, token) in forgeries(&genuine, &other) {
        let (status, challenged, code) =
            ask(&app, bearer(format!("Bearer {token}").as_bytes())).await;
        assert_eq!(
            ((status, challenged), code),
            (REFUSED, json!("UNAUTHENTICATED")),
            "{name}: {token}"
        );
    }
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn a_header_that_is_no_one_bearer_token_is_refused_alike() {
    let app = TestApp::start().await;
    let token = app.register_shop("engines").await.token;
    // RFC 9110: the scheme is read whatever its case, and blanks around a header do not belong to it.
    for good in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER   {token}  "),
    ] {
        let answer = ask(&app, bearer(good.as_bytes())).await;
        assert_eq!(answer, (StatusCode::OK, false, Value::Null), "{good}");
    }
    let mut refused: Vec<HeaderMap> = [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Token x",
        "Bearer:x",
        "Bearer\tx",
        "Bearer=x",
        "JWT x",
        "null",
        "Bearer null",
        "Bearer undefined",
    ]
    .iter()
    .map(|value| bearer(value.as_bytes()))
    .collect();
    refused.push(bearer(token.as_bytes()));
    for wrong in [
        format!("Bearer \"{token}\""),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token},"),
        format!("Bearer Bearer {token}"),
        format!("Bearer\u{a0}{token}"),
        format!("Ｂearer {token}"),
        format!("Bearer {token}\u{200b}"),
        format!("Bearer é{token}"),
        format!("Bearer {}", "a".repeat(12_000)),
    ] {
        refused.push(bearer(wrong.as_bytes()));
    }
    refused.push(bearer(b"Bearer \xff\xfe"));
    let mut twice = bearer(format!("Bearer {token}").as_bytes());
    twice.append(
        AUTHORIZATION,
        HeaderValue::try_from(format!("Bearer {token}")).unwrap(),
    );
    refused.push(twice);
    let mut mixed = bearer(b"Bearer forged");
    mixed.append(
        AUTHORIZATION,
        HeaderValue::try_from(format!("Bearer {token}")).unwrap(),
    );
    refused.push(mixed);
    for headers in refused {
        let shown = format!(
            "{:?}",
            headers.get_all(AUTHORIZATION).iter().collect::<Vec<_>>()
        );
        let (status, challenged, code) = ask(&app, headers).await;
        assert_eq!(
            ((status, challenged), code),
            (REFUSED, json!("UNAUTHENTICATED")),
            "{shown}"
        );
    }
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_header_larger_than_any_token_is_refused_without_harm() {
    let app = TestApp::start().await;
    for size in [100_000, 1_000_000] {
        let headers = bearer(format!("Bearer {}", "a".repeat(size)).as_bytes());
        let request = app
            .post()
            .json(&json!({ "query": "{ __typename }" }))
            .headers(headers);
        // Either read and refused, or too large to be read at all.
        let status = request.send().await.map(|response| response.status());
        let refused = [
            StatusCode::UNAUTHORIZED,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        ];
        assert!(
            status.is_err() || refused.contains(&status.unwrap()),
            "{size}"
        );
    }
    let answer = ask(&app, HeaderMap::new()).await;
    assert_eq!(answer.0, StatusCode::OK, "it serves as before");
}

#[tokio::test]
async fn a_connection_opens_for_no_forged_token_either() {
    let app = TestApp::start().await;
    let genuine = Genuine::of(&app.register_shop("engines").await.token);
    let other = Genuine::of(&app.register_shop("looms").await.token);
    for (name, token) in forgeries(&genuine, &other) {
        let mut socket = Socket::open(app.address()).await;
        socket.init(&token).await;
        assert_eq!(
            socket.next().await,
            json!({ "close": 4403 }),
            "{name}: {token}"
        );
    }
    for payload in [
        json!({}),
        json!(null),
        json!({ "authorization": 7 }),
        json!({ "authorization": ["Bearer"] }),
    ] {
        let mut socket = Socket::open(app.address()).await;
        socket
            .send(&json!({ "type": "connection_init", "payload": payload }))
            .await;
        let closed = socket.next().await;
        assert!(closed.get("close").is_some(), "{payload}: {closed}");
    }
    app.database.leaves_jobs(2);
}
