//! One post: how long it is, what is in it, and its front matter. The proportions are those of personal sites: about 500
//! words, code in three posts of ten, a table in one, an image in two.

use jiff::{SignedDuration, Timestamp};

use super::dice::Dice;
use super::text::{self, Block};
use super::vocabulary::{TAG_QUALITIES, TAG_SUBJECTS};

/// 2015-01-01T00:00:00Z, in seconds.
const FIRST_SECOND: i64 = 1_420_070_400;
/// Ten years.
const SPAN_SECONDS: u32 = 315_619_200;
const TAGS: u32 = 200;

/// The logarithm of words in a post, and how far it spreads: 420 in the median, 500 on average.
const WORDS: (f64, f64) = (6.05, 0.55);

/// For whom the front matter is written. The text is the same for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Microblog,
    /// Which has archives only of what posts name themselves.
    Hugo,
}

/// A post.
pub(super) struct SamplePost {
    date: Timestamp,
    title: String,
    slug: String,
    is_draft: bool,
    tags: Vec<String>,
    description: String,
    body: String,
}

impl SamplePost {
    pub(super) fn file_name(&self) -> String {
        format!("{}-{}.md", self.date.strftime("%Y-%m"), self.slug)
    }

    /// The file.
    pub(super) fn text(&self, dialect: Dialect) -> String {
        let Self { date, title, slug, is_draft, tags, description, body } = self;
        let archives = match dialect {
            Dialect::Microblog => String::new(),
            Dialect::Hugo => date.strftime("archive: [\"%Y-%m\"]\nyears: [\"%Y\"]\n").to_string(),
        };
        format!(
            "---\ntitle: \"{title}\"\nslug: {slug}\ndate: {}\ntags: [{}]\ndraft: {is_draft}\n\
             description: \"{description}\"\n{archives}---\n\n{body}",
            date.strftime("%Y-%m-%dT%H:%M:%SZ"),
            tags.join(", "),
        )
    }
}

pub(super) fn photo_name(number: u32) -> String {
    format!("photo-{number:02}.png")
}

/// The post of this number.
pub(super) fn generate(number: u32) -> anyhow::Result<SamplePost> {
    let mut dice = Dice::of_post(number);
    let since_first = SignedDuration::from_secs(dice.between(0, SPAN_SECONDS - 1).into());
    let date = Timestamp::from_second(FIRST_SECOND)?.checked_add(since_first)?;
    let title = text::title(&mut dice);
    let slug = format!("{}-{number:06}", title.to_lowercase().replace(' ', "-"));
    let is_draft = dice.happens(0.02);
    let tags = tags(&mut dice);
    let description = text::plain_sentence(&mut dice);
    Ok(SamplePost { date, title, slug, is_draft, tags, description, body: body(&mut dice) })
}

/// One to five different tags, some of which everybody uses and some nobody.
fn tags(dice: &mut Dice) -> Vec<String> {
    let wanted = dice.pick(&[1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 5]);
    let mut tags = Vec::new();
    while tags.len() < wanted {
        let tag = tag(dice.zipf(TAGS) as usize);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

fn tag(rank: usize) -> String {
    let (quality, subject) = (rank / TAG_SUBJECTS.len(), rank % TAG_SUBJECTS.len());
    // The most frequent ones are single words, as in life.
    match quality.checked_sub(1).and_then(|quality| TAG_QUALITIES.get(quality)) {
        Some(quality) => format!("{quality}-{}", TAG_SUBJECTS[subject]),
        None => TAG_SUBJECTS[subject].to_owned(),
    }
}

/// Paragraphs under headings, with other blocks spread among them.
fn body(dice: &mut Dice) -> String {
    let (mean, deviation) = WORDS;
    let wanted = dice.lognormal(mean, deviation).clamp(150.0, 1_200.0);
    let mut blocks = blocks(dice);
    let (mut words, mut parts) = (0, Vec::new());
    for paragraph in 0.. {
        if f64::from(words) >= wanted {
            break;
        }
        if paragraph > 0 && paragraph % 4 == 0 {
            parts.push(format!("## {}\n", text::title(dice)));
        }
        let (text, length) = text::paragraph(dice, wanted - f64::from(words));
        parts.push(text);
        words += length;
        parts.extend(blocks.pop().map(|block| block.write(dice)));
    }
    parts.extend(blocks.into_iter().map(|block| block.write(dice)));
    parts.join("\n")
}

/// What is in the post besides paragraphs.
fn blocks(dice: &mut Dice) -> Vec<Block> {
    let pieces_of_code = if dice.happens(0.30) { dice.pick(&[1, 1, 1, 2, 2, 3]) } else { 0 };
    let mut blocks = vec![Block::Code; pieces_of_code];
    for (block, share) in [(Block::Table, 0.10), (Block::Image, 0.20), (Block::List, 0.50), (Block::Quote, 0.20)] {
        if dice.happens(share) {
            blocks.push(block);
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_have_the_proportions_of_personal_sites() {
        let text = |number| generate(number).unwrap().text(Dialect::Microblog);
        let posts: Vec<String> = (0..1_000).map(text).collect();
        let with = |sign: &str| posts.iter().filter(|post| post.contains(sign)).count();
        assert!((250..350).contains(&with("\n```")), "{}", with("\n```"));
        assert!((70..130).contains(&with("|------|")));
        assert!((150..250).contains(&with("](/images/photo-")));
        assert!((5..40).contains(&with("draft: true")));
        let bytes = posts.iter().map(String::len).sum::<usize>() / posts.len();
        assert!((3_200..4_200).contains(&bytes), "{bytes}");
    }

    #[test]
    fn hugo_gets_the_same_post_and_is_told_its_archives() {
        let post = generate(3).unwrap();
        let (ours, theirs) = (post.text(Dialect::Microblog), post.text(Dialect::Hugo));
        let added: Vec<_> = theirs.lines().filter(|line| !ours.contains(line)).collect();
        let (month, year) = (post.date.strftime("%Y-%m"), post.date.strftime("%Y"));
        assert_eq!(added, [format!("archive: [\"{month}\"]"), format!("years: [\"{year}\"]")]);
    }

    #[test]
    fn there_are_two_hundred_different_tags() {
        let tags: std::collections::HashSet<String> = (0..TAGS as usize).map(tag).collect();
        assert_eq!(tags.len(), TAGS as usize);
    }
}
