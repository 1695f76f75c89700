//! Sentences, paragraphs and other blocks of Markdown.

use super::PHOTOS;
use super::dice::Dice;
use super::post::photo_name;
use super::vocabulary::{CODE, COMMON, SUBJECTS};

/// What a post has besides paragraphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Code,
    Table,
    Image,
    List,
    Quote,
}

impl Block {
    pub(super) fn write(self, dice: &mut Dice) -> String {
        match self {
            Self::Code => code(dice),
            Self::Table => table(dice),
            Self::Image => {
                let name = photo_name(dice.between(0, PHOTOS - 1));
                format!("![A {} and a {}](/images/{name})\n", dice.pick(&SUBJECTS), dice.pick(&SUBJECTS))
            }
            Self::List => (0..dice.between(3, 7)).map(|_| format!("- {}\n", sentence(dice, 4, 12).0)).collect(),
            Self::Quote => format!("> {}\n> {}\n", sentence(dice, 8, 16).0, sentence(dice, 8, 16).0),
        }
    }
}

/// Three to seven words, the first with a capital.
pub(super) fn title(dice: &mut Dice) -> String {
    let words: Vec<&str> = (0..dice.between(3, 7)).map(|_| dice.pick(&SUBJECTS)).collect();
    capitalised(&words.join(" "))
}

/// A sentence without any markup.
pub(super) fn plain_sentence(dice: &mut Dice) -> String {
    let words: Vec<&str> = (0..dice.between(10, 18)).map(|_| word(dice)).collect();
    format!("{}.", capitalised(&words.join(" ")))
}

/// Its text, and how many words it has, which are not many more than are left to be written.
pub(super) fn paragraph(dice: &mut Dice, left: f64) -> (String, u32) {
    let wanted = f64::from(dice.between(35, 95)).min(left.max(20.0));
    let (mut sentences, mut words) = (Vec::new(), 0);
    while f64::from(words) < wanted {
        let (sentence, length) = sentence(dice, 6, 22);
        sentences.push(sentence);
        words += length;
    }
    (format!("{}\n", sentences.join(" ")), words)
}

/// A sentence, of which every third has a word that stands out.
fn sentence(dice: &mut Dice, least: u32, most: u32) -> (String, u32) {
    let length = dice.between(least, most);
    let marked = length / 3;
    let words: Vec<String> =
        (0..length).map(|place| if place == marked { marked_word(dice) } else { word(dice).to_owned() }).collect();
    (format!("{}.", capitalised(&words.join(" "))), length)
}

fn marked_word(dice: &mut Dice) -> String {
    let word = word(dice);
    match dice.between(0, 99) {
        0..10 => format!("**{word}**"),
        10..20 => format!("*{word} {}*", dice.pick(&SUBJECTS)),
        20..27 => format!("`{}_{}`", dice.pick(&SUBJECTS), dice.pick(&SUBJECTS)),
        27..35 => format!("[{word}](https://example.org/{}/{})", dice.pick(&SUBJECTS), dice.between(1, 9_999)),
        _ => word.to_owned(),
    }
}

/// Small words are most of any text.
fn word(dice: &mut Dice) -> &'static str {
    if dice.happens(0.65) { dice.pick(&COMMON) } else { dice.pick(&SUBJECTS) }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn code(dice: &mut Dice) -> String {
    let (language, template) = dice.pick(&CODE);
    let pieces = (0..dice.between(1, 4)).map(|_| {
        let text = template.replace("AAA", dice.pick(&SUBJECTS)).replace("BBB", dice.pick(&SUBJECTS));
        text.replace("CCC", dice.pick(&SUBJECTS)).replace("999", &dice.between(1, 99).to_string())
    });
    format!("```{language}\n{}```\n", pieces.collect::<Vec<_>>().join("\n"))
}

fn table(dice: &mut Dice) -> String {
    let rows = (0..dice.between(3, 8)).map(|_| {
        let (name, value) = (dice.pick(&SUBJECTS), dice.between(1, 9_999));
        format!("| {name} | {value} | {} {} |\n", dice.pick(&COMMON), dice.pick(&SUBJECTS))
    });
    let rows: String = rows.collect();
    format!("| Name | Value | Remark |\n|------|------:|:-------|\n{rows}")
}
