//! Lets only drawings through that are nothing but drawings. An SVG is a document of its own: it may hold scripts, load
//! things from elsewhere, and show pages within itself. What is not known to be harmless is refused.

use std::io::BufRead;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Elements that draw, or describe what is drawn.
const HARMLESS: [&str; 54] = [
    "a",
    "circle",
    "clippath",
    "defs",
    "desc",
    "ellipse",
    "feblend",
    "fecolormatrix",
    "fecomponenttransfer",
    "fecomposite",
    "feconvolvematrix",
    "fediffuselighting",
    "fedisplacementmap",
    "fedistantlight",
    "fedropshadow",
    "feflood",
    "fefunca",
    "fefuncb",
    "fefuncg",
    "fefuncr",
    "fegaussianblur",
    "femerge",
    "femergenode",
    "femorphology",
    "feoffset",
    "fepointlight",
    "fespecularlighting",
    "fespotlight",
    "fetile",
    "feturbulence",
    "filter",
    "g",
    "image",
    "line",
    "lineargradient",
    "marker",
    "mask",
    "metadata",
    "path",
    "pattern",
    "polygon",
    "polyline",
    "radialgradient",
    "rect",
    "stop",
    "style",
    "svg",
    "switch",
    "symbol",
    "text",
    "textpath",
    "title",
    "tspan",
    "use",
];
/// Prefixes of what drawing programs note for themselves; browsers pass over such elements.
const NOTES: [&str; 6] = ["sodipodi:", "inkscape:", "rdf:", "cc:", "dc:", "sketch:"];

/// What stands in a drawing that should not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SvgError {
    #[error("holds the element <{0}>, which is not a drawing")]
    Element(String),
    #[error("holds a script in the attribute {0}")]
    Handler(String),
    #[error("loads something from elsewhere: {0}")]
    Foreign(String),
    #[error("declares entities")]
    DocumentType,
    #[error("is not well-formed: {0}")]
    Broken(String),
}

/// Whether the first element is `svg`, behind what may stand before it.
pub(crate) fn looks_like_one(head: &[u8]) -> bool {
    let mut reader = Reader::from_reader(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head));
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) => return local_name(&element) == "svg",
            Ok(Event::Decl(_) | Event::Comment(_) | Event::DocType(_) | Event::PI(_)) => {}
            Ok(Event::Text(text)) if text.trim().is_empty() => {}
            _ => return false,
        }
    }
}

/// Refuses everything that is more than a drawing.
pub(crate) fn check(file: impl BufRead) -> Result<(), SvgError> {
    let mut reader = Reader::from_reader(file);
    let (mut buffer, mut depth) = (Vec::new(), 0_usize);
    // The text of a style sheet, which may come in pieces.
    let mut style = None::<String>;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|error| SvgError::Broken(error.to_string()))? {
            Event::Start(element) => {
                check_element(&element)?;
                depth += 1;
                if local_name(&element) == "style" {
                    style = Some(String::new());
                }
            }
            Event::Empty(element) => check_element(&element)?,
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                style.take().map_or(Ok(()), |style| check_style(&style))?;
            }
            Event::Text(text) => style.iter_mut().for_each(|style| style.push_str(&text)),
            Event::CData(text) => style.iter_mut().for_each(|style| style.push_str(&text)),
            Event::GeneralRef(_) if style.is_some() => return Err(SvgError::Foreign("an escaped style".to_owned())),
            // Browsers fetch no document type; one that declares something inside is up to something.
            Event::DocType(text) if text.contains('[') => return Err(SvgError::DocumentType),
            Event::PI(_) => return Err(SvgError::Foreign("a processing instruction".to_owned())),
            Event::Eof if depth > 0 => return Err(SvgError::Broken("it ends too early".to_owned())),
            Event::Eof => return Ok(()),
            Event::GeneralRef(_) | Event::DocType(_) | Event::Comment(_) | Event::Decl(_) => {}
        }
    }
}

fn local_name(element: &BytesStart<'_>) -> String {
    element.name().local_name().as_ref().to_ascii_lowercase()
}

fn check_element(element: &BytesStart<'_>) -> Result<(), SvgError> {
    let whole = element.name().as_ref().to_ascii_lowercase();
    let is_note = NOTES.iter().any(|prefix| whole.starts_with(prefix));
    if !is_note && !HARMLESS.contains(&local_name(element).as_str()) {
        return Err(SvgError::Element(whole));
    }
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| SvgError::Broken(error.to_string()))?;
        let name = attribute.key.local_name().as_ref().to_ascii_lowercase();
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| SvgError::Broken(error.to_string()))?
            .to_ascii_lowercase();
        check_attribute(&name, &value)?;
    }
    Ok(())
}

fn check_attribute(name: &str, value: &str) -> Result<(), SvgError> {
    if name.starts_with("on") {
        return Err(SvgError::Handler(name.to_owned()));
    }
    let compact: String = value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let is_harmless_link = compact.starts_with('#') || compact.starts_with("data:image/") && !compact.contains("svg");
    if matches!(name, "href" | "src") && !is_harmless_link {
        return Err(SvgError::Foreign(format!("{name}={compact:?}")));
    }
    check_style(&compact)
}

/// Style sheets and attributes may name resources; only those of the drawing itself are let through. An escape could
/// spell anything.
fn check_style(text: &str) -> Result<(), SvgError> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let compact = compact.to_ascii_lowercase();
    let suspicious = ["@import", "javascript:", "expression(", "image-set(", "\\"];
    if let Some(word) = suspicious.iter().find(|word| compact.contains(**word)) {
        return Err(SvgError::Foreign(format!("{word} in a style")));
    }
    let mut addresses = compact.split("url(").skip(1).map(|rest| rest.trim_start_matches(['"', '\'']));
    match addresses.find(|address| !address.starts_with('#')) {
        Some(address) => Err(SvgError::Foreign(address.chars().take(40).collect())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(inner: &str) -> Result<(), SvgError> {
        check(format!("<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'>{inner}</svg>").as_bytes())
    }

    #[test]
    fn drawings_pass() {
        for inner in [
            "<path d='M0 0'/><style>.a{fill:url(#g)}</style>",
            "<linearGradient id='g'/><rect fill='url(#g)' style='stroke:red'/>",
            "<use href='#g'/><text>R&amp;D &#169;</text><sodipodi:namedview showgrid='false'/>",
            "<image href='data:image/png;base64,AAAA'/>",
        ] {
            assert_eq!(checked(inner), Ok(()), "{inner}");
        }
    }

    #[test]
    fn whatever_is_more_than_a_drawing_is_refused() {
        for inner in [
            "<script>alert(1)</script>",
            "<SCRIPT/>",
            "<x:script xmlns:x='http://www.w3.org/2000/svg'/>",
            "<rect onload='alert(1)'/>",
            "<rect ONCLICK='alert(1)'/>",
            "<foreignObject><iframe/></foreignObject>",
            "<a href='javascript:alert(1)'/>",
            "<a href='java&#10;script:alert(1)'/>",
            "<a xlink:href='https://elsewhere.example/'/>",
            "<use href='https://elsewhere.example/x.svg#a'/>",
            "<image href='data:image/svg+xml;base64,AAAA'/>",
            "<animate attributeName='href' values='javascript:alert(1)'/>",
            "<set attributeName='onload' to='alert(1)'/>",
            "<style>@import 'https://elsewhere.example/x.css';</style>",
            "<style>.a{background:url(https://elsewhere.example/)}</style>",
            "<style><![CDATA[.a{background:u\\72l(//elsewhere.example)} .b{fill:url(#x)}]]></style>",
            "<rect style='fill:url(\"//elsewhere.example\")'/>",
            "<style>@im<!-- -->port 'https://elsewhere.example/x.css'</style>",
            "<style>@imp&#111;rt 'https://elsewhere.example/x.css'</style>",
            "<style>svg{background:image-set('https://elsewhere.example/' 1x)}</style>",
            "<g>",
        ] {
            assert!(checked(inner).is_err(), "{inner}");
        }
        let entity = "<!DOCTYPE svg [<!ENTITY x 'y'>]><svg>&x;</svg>";
        assert_eq!(check(entity.as_bytes()), Err(SvgError::DocumentType));
        assert!(check(&b"<?xml-stylesheet href='https://elsewhere.example'?><svg/>"[..]).is_err());
    }

    #[test]
    fn only_documents_that_begin_as_drawings_are_taken_for_them() {
        assert!(looks_like_one(b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- by hand --><svg width='1'>"));
        assert!(!looks_like_one(b"<html><svg/></html>"));
        assert!(!looks_like_one(b"svg"));
        assert!(!looks_like_one(b""));
    }
}
