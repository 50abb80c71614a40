use super::time::{rfc3339, text};
use super::*;

#[test]
fn json_escapes_as_go_does() {
    let value = Value::raw(&serde_json::json!({"b": "<a>&\"\\\u{2028}\u{1}\n\u{8}é", "a": [1, 2.5, null, true]}));
    assert_eq!(to_json(&value), r#"{"a":[1,2.5,null,true],"b":"\u003ca\u003e\u0026\"\\\u2028\u0001\n\bé"}"#);
    assert_eq!(to_json_unescaped(&value), r#"{"a":[1,2.5,null,true],"b":"<a>&\"\\\u2028\u0001\n\bé"}"#);
    assert_eq!(to_json(&Value::new(&STRING, Data::Str(b"a\xffb".to_vec()))), r#""a\ufffdb""#);
    for (float, shown) in [(1.0, "1"), (1e21, "1e+21"), (1e-7, "1e-7"), (1e20, "100000000000000000000"), (0.000_001, "0.000001")] {
        assert_eq!(to_json(&Value::new(&FLOAT, Data::Float(float))), shown);
    }
}

static INNER: Type = Type::Struct(&Struct::new("a.Inner", &[Field::new("Id", "Id", &STRING), Field::new("Deep", "Deep", &INT)]));
static OUTER: Type = Type::Struct(&Struct::new(
    "a.Outer",
    &[
        Field::embedded("Inner", &Type::Ptr(&INNER)),
        Field::new("Id", "Id", &STRING),
        Field::new("List", "List", &STRINGS),
        Field::new("Gone", "Gone", &STRINGS).omitempty(),
        Field::new("When", "When", &Type::Time).omitzero(),
    ],
));

#[test]
fn json_fills_types_as_go_does() {
    let value = Value::decode(&OUTER, &serde_json::json!({"id": "x", "Deep": 3, "List": null, "Other": 1, "Gone": []}));
    assert_eq!(to_json(&value), r#"{"Deep":3,"Id":"x","List":null}"#);
    assert_eq!(to_json(&Value::decode(&OUTER, &serde_json::json!({}))), r#"{"Id":"","List":null}"#);
    assert_eq!(to_json(&Value::decode(&OUTER, &serde_json::json!({"When": "2026-11-22T01:00:46.7800+02:00"}))), {
        r#"{"Id":"","List":null,"When":"2026-11-22T01:00:46.78+02:00"}"#
    });
}

#[test]
fn times_are_read_and_written() {
    let cases = [
        ("2026-11-22T01:00:46.781482641Z", "2026-11-22 01:00:46.781482641 +0000 UTC"),
        ("2024-02-29T23:59:59-07:30", "2024-02-29 23:59:59 -0730 -0730"),
        ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00 +0000 UTC"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31 23:59:59.5 +0000 UTC"),
    ];
    for (json, shown) in cases {
        let time = Time::parse(json).expect("a time");
        assert_eq!((text(&time).as_str(), rfc3339(&time).as_str()), (shown, json));
    }
    assert_eq!(Time::parse("0001-01-01T00:00:00Z"), Some(Time::ZERO));
    for bad in ["", "2026-11-22", "2026-11-22T01:00:46", "2026-11-22 01:00:46Z", "2026-11-22T01:00:46.Z5", "2026-11-22T01:00:46+0200"] {
        assert_eq!(Time::parse(bad), None, "{bad}");
    }
}
