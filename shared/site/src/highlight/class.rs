//! What a piece of code is, and the class that says so.

/// The kinds of tokens. Everything else (names, operators, punctuation) stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Not coloured.
    Plain,
    Comment,
    Keyword,
    Constant,
    Type,
    Builtin,
    Function,
    String,
    Escape,
    Interpolation,
    Regex,
    Number,
    Variable,
    Symbol,
    Tag,
    Attribute,
    Decorator,
    Preprocessor,
    Heading,
    Prompt,
    Inserted,
    Deleted,
    Hunk,
}

impl Class {
    /// The tag that opens a span of this class. Without quotes: a page of code consists of these tags for the most part.
    pub(super) const fn open_tag(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Comment => "<span class=c>",
            Self::Keyword => "<span class=k>",
            Self::Constant => "<span class=kc>",
            Self::Type => "<span class=kt>",
            Self::Builtin => "<span class=nb>",
            Self::Function => "<span class=nf>",
            Self::String => "<span class=s>",
            Self::Escape => "<span class=se>",
            Self::Interpolation => "<span class=si>",
            Self::Regex => "<span class=sr>",
            Self::Number => "<span class=m>",
            Self::Variable => "<span class=nv>",
            Self::Symbol => "<span class=ss>",
            Self::Tag => "<span class=nt>",
            Self::Attribute => "<span class=na>",
            Self::Decorator => "<span class=nd>",
            Self::Preprocessor => "<span class=cp>",
            Self::Heading => "<span class=gh>",
            Self::Prompt => "<span class=gp>",
            Self::Inserted => "<span class=gi>",
            Self::Deleted => "<span class=gd>",
            Self::Hunk => "<span class=gu>",
        }
    }
}
