use proptest::prelude::*;

use super::{Counts, NotText, WordCounter, is_word};

fn count(text: &[u8]) -> Result<Counts, NotText> {
    count_in_chunks(text, text.len().max(1))
}

fn count_in_chunks(text: &[u8], size: usize) -> Result<Counts, NotText> {
    let mut counter = WordCounter::default();
    for chunk in text.chunks(size) {
        counter.feed(chunk)?;
    }
    counter.finish()
}

fn counts(words: u32, unique: u32) -> Counts {
    Counts { words, unique }
}

/// A line of what Python counted; see `fixtures/make.py`.
fn python(name: &str) -> Counts {
    let index = include_str!("fixtures/counts.txt");
    let line = index
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let (words, unique) = line.unwrap().split_once(' ').unwrap();
    counts(words.parse().unwrap(), unique.parse().unwrap())
}

#[test]
fn as_many_characters_make_words_as_in_python() {
    let words = ('\0'..=char::MAX)
        .filter(|&character| is_word(character))
        .count();
    assert_eq!(words, python("characters").words as usize);
}

#[test]
fn letters_and_numbers_make_words_and_marks_do_not() {
    for character in [
        'a', 'Z', '0', '_', 'é', 'ß', 'Ё', 'ﬀ', 'א', 'ह', 'ๆ', '漢', 'ゝ', '〇', '½', '²', 'Ⅷ',
        '①', '៴', '𝟘', '𐍊', 'ª',
    ] {
        assert!(is_word(character), "{character:?}");
    }
    for character in [
        '\0',
        ' ',
        '-',
        '\'',
        '’',
        '\u{a0}',
        '\u{ad}',
        '\u{301}',
        '\u{94d}',
        '\u{e34}',
        '\u{200d}',
        '\u{feff}',
        '€',
        '👩',
        '🄰',
        '\u{e000}',
        '\u{58b}',
        char::MAX,
    ] {
        assert!(!is_word(character), "{character:?}");
    }
}

#[test]
fn texts_count_as_in_python() {
    let texts: [(&str, &[u8]); 6] = [
        ("letters", include_bytes!("fixtures/letters.txt")),
        ("marks", include_bytes!("fixtures/marks.txt")),
        ("assigned", include_bytes!("fixtures/assigned.txt")),
        ("joined", include_bytes!("fixtures/joined.txt")),
        ("no_words", include_bytes!("fixtures/no_words.txt")),
        ("no_newline", include_bytes!("fixtures/no_newline.txt")),
    ];
    for (name, text) in texts {
        for size in [1, 2, 3, 7, 64, text.len()] {
            let counted = count_in_chunks(text, size);
            assert_eq!(counted, Ok(python(name)), "{name} in chunks of {size}");
        }
    }
}

#[test]
fn nothing_has_no_words() {
    assert_eq!(count(b""), Ok(counts(0, 0)));
    assert_eq!(WordCounter::default().finish(), Ok(counts(0, 0)));
}

#[test]
fn case_makes_another_word() {
    assert_eq!(count(b"Word word WORD word\n"), Ok(counts(4, 3)));
}

#[test]
fn a_word_that_begins_like_another_is_another() {
    assert_eq!(count(b"a ab abc ab a abcd abc"), Ok(counts(7, 4)));
    assert_eq!(
        count_in_chunks(b"a ab abc ab a abcd abc", 2),
        Ok(counts(7, 4))
    );
}

#[test]
fn a_long_word_over_many_chunks_is_one_word() {
    let text = [vec![b'x'; 100_000], b" ".to_vec(), vec![b'x'; 100_000]].concat();
    assert_eq!(count_in_chunks(&text, 4096), Ok(counts(2, 1)));
}

#[test]
fn long_and_short_words_in_turn_take_no_more_than_the_text() {
    let mut counter = WordCounter::default();
    let mut size = 0;
    for number in 0..200 {
        let text = format!("{number} {}{number}\n", "x".repeat(20_000));
        counter.feed(text.as_bytes()).unwrap();
        size += text.len();
    }
    assert!(
        counter.allocated() < size + (1 << 20),
        "{} of {size} bytes",
        counter.allocated()
    );
    assert_eq!(counter.finish(), Ok(counts(400, 400)));
}

#[test]
fn what_is_not_utf8_is_not_text_wherever_it_is_cut() {
    let cases: [(&[u8], u64); 7] = [
        (b"\xff", 0),
        (b"word \xe9t\xe9\n", 5),
        (b"ok \xed\xa0\x80", 3),
        (b"ok \xc0\xaf", 3),
        (b"ok \xf4\x90\x80\x80", 3),
        ("cut €".as_bytes().split_at(6).0, 4),
        (b"\x7fELF\x02\x01\x01\0\0\0\xb8\x01", 10),
    ];
    for (text, offset) in cases {
        for size in 1..=text.len() {
            assert_eq!(
                count_in_chunks(text, size),
                Err(NotText { offset }),
                "{text:?} in chunks of {size}"
            );
        }
    }
}

/// All the shortest words there are, each once: more distinct words than that do not fit into 10 MiB.
#[test]
fn the_worst_text_stays_within_the_documented_memory() {
    const LIMIT: usize = 10 << 20;
    let letters: Vec<u8> = (0..128)
        .filter(|&byte: &u8| byte.is_ascii_alphanumeric() || byte == b'_')
        .collect();
    let mut text = Vec::with_capacity(LIMIT);
    let mut expected = 0;
    'fill: for length in 1.. {
        for number in 0..letters.len().pow(length) {
            if text.len() + length as usize + 1 > LIMIT {
                break 'fill;
            }
            text.extend(
                (0..length).map(|place| letters[number / letters.len().pow(place) % letters.len()]),
            );
            text.push(b'\n');
            expected += 1;
        }
    }
    assert!(expected > 2_000_000);
    let mut counter = WordCounter::default();
    let mut peak = 0;
    for chunk in text.chunks(16 << 10) {
        counter.feed(chunk).unwrap();
        peak = peak.max(counter.allocated());
    }
    assert_eq!(counter.finish(), Ok(counts(expected, expected)));
    assert!(peak < 31 << 20, "{peak} bytes");
}

/// The definition, without streams and sets of our own.
fn plainly(text: &str) -> Counts {
    let words: Vec<&str> = text
        .split(|character| !is_word(character))
        .filter(|word| !word.is_empty())
        .collect();
    let unique: std::collections::HashSet<&&str> = words.iter().collect();
    counts(words.len() as u32, unique.len() as u32)
}

proptest! {
    #[test]
    fn chunks_make_no_difference(text in "([a-c]{0,2}[ .é漢\u{301}\u{1d7d8}]?){0,40}", size in 1_usize..9) {
        prop_assert_eq!(count_in_chunks(text.as_bytes(), size), Ok(plainly(&text)));
    }

    #[test]
    fn any_bytes_are_counted_or_refused_as_they_are_utf8(bytes: Vec<u8>, size in 1_usize..40) {
        let expected = match str::from_utf8(&bytes) {
            Ok(text) => Ok(plainly(text)),
            Err(error) => Err(NotText { offset: error.valid_up_to() as u64 }),
        };
        prop_assert_eq!(count_in_chunks(&bytes, size), expected);
    }
}
