//! Answers as JSON, and parts of answers that are JSON already. A value for each number of a long series costs
//! several times what writing it does; where nothing has to be waited for, nothing can fail, and nothing else of the
//! document meets it (`document/apart.rs`), such a part is
//! written at once and takes the place of its value ([`written`]). Only [`write()`] knows what to do with it, so parts are
//! written only for operations whose answer goes through it: see
//! [`RequestContext::answered_in_json`](super::context::RequestContext::answered_in_json).

use async_graphql::{Response, Value};

/// JSON in the place of a value. async-graphql keeps `Binary` for uploads, which this schema has none of.
pub(super) fn written(json: Vec<u8>) -> Value {
    Value::Binary(json.into())
}

/// A value's JSON.
pub fn write(value: &Value, json: &mut Vec<u8>) {
    match value {
        Value::Null => json.extend_from_slice(b"null"),
        Value::Boolean(true) => json.extend_from_slice(b"true"),
        Value::Boolean(false) => json.extend_from_slice(b"false"),
        Value::Number(number) => write_plain(number, json),
        Value::String(text) => write_text(text, json),
        Value::Enum(name) => write_text(name, json),
        Value::Binary(written) => json.extend_from_slice(written),
        Value::List(values) => {
            json.push(b'[');
            for (index, value) in values.iter().enumerate() {
                separate(index, json);
                write(value, json);
            }
            json.push(b']');
        }
        Value::Object(fields) => write_members(fields, json),
    }
}

/// A whole answer's JSON: `data`, then extensions and errors where there are any.
#[must_use]
pub fn of_response(response: &Response) -> Vec<u8> {
    let mut json = b"{\"data\":".to_vec();
    write(&response.data, &mut json);
    if !response.extensions.is_empty() {
        json.extend_from_slice(b",\"extensions\":");
        write_members(&response.extensions, &mut json);
    }
    if !response.errors.is_empty() {
        json.extend_from_slice(b",\"errors\":");
        write_plain(&response.errors, &mut json);
    }
    json.push(b'}');
    json
}

/// A text's JSON, in quotes.
pub(super) fn write_text(text: &str, json: &mut Vec<u8>) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
    } else {
        write_plain(text, json);
    }
}

/// What comes between the members of a list or an object.
pub(super) fn separate(index: usize, json: &mut Vec<u8>) {
    if index > 0 {
        json.push(b',');
    }
}

fn write_members<'a, K: AsRef<str> + 'a>(
    members: impl IntoIterator<Item = (&'a K, &'a Value)>,
    json: &mut Vec<u8>,
) {
    json.push(b'{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        separate(index, json);
        write_text(name.as_ref(), json);
        json.push(b':');
        write(value, json);
    }
    json.push(b'}');
}

/// What holds no written parts.
pub fn write_plain<T: serde::Serialize + ?Sized>(value: &T, json: &mut Vec<u8>) {
    // Writing to memory does not fail, and the keys of these types are texts.
    let _ = serde_json::to_writer(json, value);
}

#[cfg(test)]
mod tests {
    use async_graphql::{Name, ServerError, value};
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn an_answer_is_written_as_the_library_writes_it() {
        let mut response = Response::new(value!({
            "none": null,
            "yes": true,
            "no": false,
            "numbers": [1, -2, 3.5, 9_007_199_254_740_993_i64],
            "texts": ["", "plain", "a \"quote\"", "back\\slash", "line\nend", "\u{1}", "ä€😀", "\u{2028}"],
            "objects": [{}, { "inside": [[]] }],
        }))
        .extension("cost", value!({ "actual": 7 }));
        if let Value::Object(fields) = &mut response.data {
            fields.insert(Name::new("word"), Value::Enum(Name::new("DAY")));
        }
        let text = |json: Vec<u8>| String::from_utf8(json).unwrap();
        let library = |response: &Response| serde_json::to_string(response).unwrap();
        assert_eq!(text(of_response(&response)), library(&response));
        response.errors = vec![ServerError::new("wrong \"here\"", None)];
        assert_eq!(text(of_response(&response)), library(&response));
        let nothing = Response::default();
        assert_eq!(text(of_response(&nothing)), library(&nothing));
    }

    #[test]
    fn a_written_part_stands_where_its_value_would() {
        let data = Value::List(vec![written(b"{\"a\":1}".to_vec()), Value::Null]);
        let mut json = Vec::new();
        write(&data, &mut json);
        assert_eq!(json, b"[{\"a\":1},null]");
    }
}
