//! Inline tables as TOML 1.0 has them: on one line, without a comma at the end.
//!
//! The parser reads TOML 1.1 too, Spin doesn't; a manifest that starts here must start there.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Where in `text` the first inline table is that only TOML 1.1 allows.
pub(crate) fn find_newer(text: &str, table: &DeTable<'_>) -> Option<usize> {
    table
        .iter()
        .find_map(|(_, value)| find_in(text, &value.span(), value.get_ref()))
}

fn find_in(text: &str, span: &Range<usize>, value: &DeValue<'_>) -> Option<usize> {
    match value {
        DeValue::Array(values) => values
            .iter()
            .find_map(|value| find_in(text, &value.span(), value.get_ref())),
        DeValue::Table(table) if is_inline(text, span) && is_newer(text, span, table) => {
            Some(span.start)
        }
        DeValue::Table(table) => find_newer(text, table),
        _ => None,
    }
}

fn is_inline(text: &str, span: &Range<usize>) -> bool {
    text.get(span.clone())
        .is_some_and(|text| text.starts_with('{'))
}

fn is_newer(text: &str, span: &Range<usize>, table: &DeTable<'_>) -> bool {
    let mut values = vec![];
    collect_values(text, table, &mut values);
    values.sort_by_key(|value| value.start);
    // Line breaks within values, as in arrays, are allowed.
    let mut at = span.start;
    for value in values {
        if text
            .get(at..value.start)
            .is_some_and(|between| between.contains('\n'))
        {
            return true;
        }
        at = value.end;
    }
    let is_empty = at == span.start;
    text.get(at..span.end)
        .is_some_and(|end| end.contains('\n') || (!is_empty && end.contains(',')))
}

/// The positions of all values, those of dotted keys too.
fn collect_values(text: &str, table: &DeTable<'_>, values: &mut Vec<Range<usize>>) {
    for (_, value) in table {
        match value.get_ref() {
            DeValue::Table(dotted) if !is_inline(text, &value.span()) => {
                collect_values(text, dotted, values)
            }
            _ => values.push(value.span()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Option<usize> {
        find_newer(text, DeTable::parse(text).unwrap().get_ref())
    }

    #[test]
    fn inline_tables_of_toml_1_0_pass() {
        for text in [
            "a = {}",
            "a = { }",
            "a = { b = 1, c = { d = 2 } }\ne = 1",
            "a = { b = [\n1,\n2,\n], c = \"\"\"\n,\n\"\"\" }",
            "a = { b.c = 1, b.d = ',' } # ,",
            "a = [\n { b = 1 },\n { b = 2 },\n]",
            "[a]\nb = 1\n[[c]]\nd = { e = 1 }\n",
            "a = { \"b,\" = 1 }",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn those_of_toml_1_1_are_found() {
        for (text, at) in [
            ("a = {\n b = 1 }", 4),
            ("a = { b = 1,\n c = 2 }", 4),
            ("a = { b = 1 \n}", 4),
            ("a = { b = 1, }", 4),
            ("a = { b = { c = 1, } }", 10),
            ("a = [{ b = 1, }]", 5),
            ("a = { b.c = 1, }", 4),
            ("a = {\n}", 4),
            ("[x]\na = { b = 1, }", 8),
        ] {
            assert_eq!(find(text), Some(at), "{text}");
        }
    }
}
