//! Finds out what an uploaded file is, by its bytes. What its name or the client says must agree.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use image::ImageFormat;

use super::svg;

/// The largest picture: what decodes to more would fill the memory of whoever shows it. 100 million pixels.
const MAX_PIXELS: u64 = 100_000_000;
/// Bytes at the beginning that tell types apart.
const HEAD: usize = 512;

/// A type of file that may be uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileType {
    Png,
    Jpeg,
    Gif,
    WebP,
    Svg,
    Mp4,
    WebM,
    Mp3,
    Ogg,
    Pdf,
}

impl FileType {
    const ALL: [Self; 10] = [
        Self::Png,
        Self::Jpeg,
        Self::Gif,
        Self::WebP,
        Self::Svg,
        Self::Mp4,
        Self::WebM,
        Self::Mp3,
        Self::Ogg,
        Self::Pdf,
    ];

    /// The content type, and the extensions that go with it, the usual one first.
    const fn row(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Png => ("image/png", &["png"]),
            Self::Jpeg => ("image/jpeg", &["jpg", "jpeg"]),
            Self::Gif => ("image/gif", &["gif"]),
            Self::WebP => ("image/webp", &["webp"]),
            Self::Svg => ("image/svg+xml", &["svg"]),
            Self::Mp4 => ("video/mp4", &["mp4", "m4v"]),
            Self::WebM => ("video/webm", &["webm"]),
            Self::Mp3 => ("audio/mpeg", &["mp3"]),
            Self::Ogg => ("audio/ogg", &["ogg", "oga", "opus"]),
            Self::Pdf => ("application/pdf", &["pdf"]),
        }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        self.row().0
    }

    pub(crate) const fn extension(self) -> &'static str {
        self.row().1[0]
    }

    const fn image_format(self) -> Option<ImageFormat> {
        match self {
            Self::Png => Some(ImageFormat::Png),
            Self::Jpeg => Some(ImageFormat::Jpeg),
            Self::Gif => Some(ImageFormat::Gif),
            Self::WebP => Some(ImageFormat::WebP),
            _ => None,
        }
    }

    fn by_content(head: &[u8]) -> Option<Self> {
        let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
        let found = match head {
            _ if at(0, b"\x89PNG\r\n\x1a\n") => Self::Png,
            _ if at(0, b"\xff\xd8\xff") => Self::Jpeg,
            _ if at(0, b"GIF87a") || at(0, b"GIF89a") => Self::Gif,
            _ if at(0, b"RIFF") && at(8, b"WEBP") => Self::WebP,
            _ if at(4, b"ftyp") => Self::Mp4,
            _ if at(0, b"\x1a\x45\xdf\xa3") => Self::WebM,
            _ if at(0, b"ID3") || at(0, b"\xff\xfb") || at(0, b"\xff\xf3") => Self::Mp3,
            _ if at(0, b"OggS") => Self::Ogg,
            _ if at(0, b"%PDF-") => Self::Pdf,
            _ if svg::looks_like_one(head) => Self::Svg,
            _ => return None,
        };
        Some(found)
    }
}

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Examined {
    pub(crate) file_type: FileType,
    /// Width and height, of pictures made of pixels.
    pub(crate) dimensions: Option<(u32, u32)>,
}

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unacceptable {
    #[error("The file is empty.")]
    Empty,
    #[error("This is no type of file that can be uploaded. Taken are {}.", known_extensions())]
    UnknownType,
    #[error("The name ends in .{given}, but the content is {actual}. Rename the file, or convert it.")]
    WrongExtension { given: String, actual: &'static str },
    #[error("The picture can not be read: {0}.")]
    Broken(String),
    #[error("The picture is {width} x {height} pixels; at most {MAX_PIXELS} are taken. Make it smaller.")]
    TooManyPixels { width: u32, height: u32 },
    #[error("The SVG {0}. Remove that, or upload it as PNG.")]
    Svg(#[from] svg::SvgError),
    #[error("the file can not be read back: {0}")]
    Io(#[from] io::Error),
}

fn known_extensions() -> String {
    FileType::ALL.iter().map(|known| known.extension()).collect::<Vec<_>>().join(", ")
}

/// Examines a file that was received under this name. Reads no more of a picture than its header.
pub(crate) fn examine(path: &Path, given_name: &str) -> Result<Examined, Unacceptable> {
    let mut head = Vec::with_capacity(HEAD);
    File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        return Err(Unacceptable::Empty);
    }
    let file_type = FileType::by_content(&head).ok_or(Unacceptable::UnknownType)?;
    check_extension(file_type, given_name)?;
    if file_type == FileType::Svg {
        svg::check(BufReader::new(File::open(path)?))?;
    }
    let dimensions = file_type.image_format().map(|format| dimensions(path, format)).transpose()?;
    Ok(Examined { file_type, dimensions })
}

/// A name without an extension says nothing wrong.
fn check_extension(file_type: FileType, given_name: &str) -> Result<(), Unacceptable> {
    let (content_type, extensions) = file_type.row();
    let given = given_name.rsplit_once('.').map(|(_, given)| given.to_lowercase());
    match given {
        Some(given) if !extensions.contains(&given.as_str()) => {
            Err(Unacceptable::WrongExtension { given, actual: content_type })
        }
        _ => Ok(()),
    }
}

fn dimensions(path: &Path, format: ImageFormat) -> Result<(u32, u32), Unacceptable> {
    let file = BufReader::new(File::open(path)?);
    let measured = microblog_images::measure(file, format);
    let (width, height) = measured.map_err(|error| Unacceptable::Broken(error.to_string()))?;
    if width == 0 || height == 0 {
        return Err(Unacceptable::Broken("it has no pixels".to_owned()));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Unacceptable::TooManyPixels { width, height });
    }
    Ok((width, height))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn examined(name: &str, bytes: &[u8]) -> Result<Examined, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        examine(file.path(), name).map_err(|error| error.to_string())
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let image = image::GrayImage::new(width, height);
        image.write_to(&mut io::Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    }

    /// A picture that says it is larger than it is: the size stands behind the first 16 bytes, its checksum behind 29.
    fn bomb() -> Vec<u8> {
        let mut bytes = png(1, 1);
        bytes[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
        let checksum = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
        })
    }

    #[test]
    fn pictures_are_known_by_their_bytes_and_measured() {
        let found = examined("photo.png", &png(3, 2)).unwrap();
        assert_eq!((found.file_type, found.dimensions), (FileType::Png, Some((3, 2))));
        assert_eq!(examined("paper.PDF", b"%PDF-1.7").unwrap().dimensions, None);
    }

    #[test]
    fn a_file_that_is_not_what_it_says_is_refused_with_the_reason() {
        for (name, bytes, reason) in [
            ("a.png", &b""[..], "empty"),
            ("a.png", b"hello", "no type of file"),
            ("a.html", b"<!DOCTYPE html><script>1</script>", "no type of file"),
            ("a.jpg", &png(1, 1), "ends in .jpg, but the content is image/png"),
            ("a.png", &png(9, 9)[..20], "can not be read"),
            ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "script"),
        ] {
            let error = examined(name, bytes).unwrap_err();
            assert!(error.contains(reason), "{name}: {error}");
        }
    }

    #[test]
    fn a_picture_that_would_fill_the_memory_is_refused_by_its_header() {
        let error = examined("bomb.png", &bomb()).unwrap_err();
        assert!(error.contains("100000 x 100000"), "{error}");
    }
}
