//! From a hostile file to upright pixels.

use std::io::{BufRead, Cursor, Seek};

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits};

use crate::ImageError;
use crate::memory::MAX_BYTES;
use crate::plan::{FULL_SIZE_UP_TO, LONGEST_SIDE};

/// The largest picture that variants are made of, if [`MAX_BYTES`] suffice for it.
pub const MAX_PIXELS: u64 = 64_000_000;
/// The most bytes that a pixel takes: four decoded, and as many while the picture is turned upright.
const BYTES_PER_PIXEL: u64 = 8;
/// The same where colours have 16 bits, and are brought down to 8; where a JPEG file is shown bit by bit, and all its
/// coefficients wait beside the pixels; and where libwebp has copies of its own.
const BYTES_PER_COSTLY_PIXEL: u64 = 12;
/// A larger profile of colours is no profile that cameras or programs write.
const MAX_PROFILE_BYTES: usize = 64 << 10;

/// A picture in memory.
pub(crate) struct Decoded {
    /// 8 bits for each of red, green and blue, and of opacity where something is not opaque.
    pub(crate) pixels: DynamicImage,
    /// What its colours mean, unless that is sRGB.
    pub(crate) profile: Option<Vec<u8>>,
    pub(crate) format: ImageFormat,
}

/// A picture whose headers were read.
pub(crate) struct Opened<'f> {
    decoder: Box<dyn ImageDecoder + 'f>,
    format: ImageFormat,
    /// The most bytes of memory that it takes on its way, besides its file.
    pub(crate) needs: u64,
}

/// How wide and high a picture is shown, as its orientation says. Decodes no pixels, but reads a JPEG file to its end.
///
/// # Errors
/// When the headers are broken.
pub fn measure(file: impl BufRead + Seek, format: ImageFormat) -> ImageResult<(u32, u32)> {
    let mut decoder = ImageReader::with_format(file, format).into_decoder()?;
    let (width, height) = decoder.dimensions();
    // Orientation is an extra: a file with a broken one is shown as it is.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok(if is_turned(orientation) { (height, width) } else { (width, height) })
}

fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH)
}

/// Reads what a picture says of itself, and refuses what would take too much.
pub(crate) fn open(file: &[u8]) -> Result<Opened<'_>, ImageError> {
    let format = image::guess_format(file).map_err(|_| ImageError::UnknownFormat)?;
    let decoder = decoder_of(file, format)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(ImageError::Broken("it has no pixels".to_owned()));
    }
    let needs = needs_of(&*decoder, format == ImageFormat::Jpeg && may_be_progressive(file));
    if u64::from(width) * u64::from(height) > MAX_PIXELS || needs > MAX_BYTES {
        return Err(ImageError::TooLarge { width, height });
    }
    Ok(Opened { decoder, format, needs })
}

impl Opened<'_> {
    /// Decodes it.
    pub(crate) fn decode(self) -> Result<Decoded, ImageError> {
        let Self { mut decoder, format, .. } = self;
        decoder.set_limits(limits()).map_err(|error| broken(&error))?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_worth_keeping(profile));
        let mut pixels = DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?;
        pixels = plain(pixels);
        pixels.apply_orientation(orientation);
        Ok(Decoded { pixels, profile, format })
    }
}

fn needs_of(decoder: &dyn ImageDecoder, is_progressive: bool) -> u64 {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let has_deep_colours = decoder.total_bytes() > pixels * 4;
    let is_costly = is_progressive || has_deep_colours;
    let decoding = pixels * if is_costly { BYTES_PER_COSTLY_PIXEL } else { BYTES_PER_PIXEL };
    // The narrower side is the width of what is turned upright, too.
    let may_be_encoded_whole = width.min(height) <= FULL_SIZE_UP_TO;
    let encoded = pixels.min(u64::from(FULL_SIZE_UP_TO) * u64::from(LONGEST_SIDE));
    let encoding = if may_be_encoded_whole { encoded * BYTES_PER_COSTLY_PIXEL } else { 0 };
    decoding.max(encoding)
}

/// The marker of such a JPEG file can not stand among its pixels; where it stands by chance in metadata, memory is kept
/// free for nothing.
fn may_be_progressive(file: &[u8]) -> bool {
    file.windows(2).any(|marker| marker == [0xff, 0xc2])
}

fn decoder_of(file: &[u8], format: ImageFormat) -> Result<Box<dyn ImageDecoder + '_>, ImageError> {
    let file = Cursor::new(file);
    let failed = |error| broken(&error);
    Ok(match format {
        ImageFormat::Jpeg => Box::new(JpegDecoder::new(file).map_err(failed)?),
        ImageFormat::Png => {
            let decoder = PngDecoder::with_limits(file, limits()).map_err(failed)?;
            if decoder.is_apng().map_err(failed)? {
                return Err(ImageError::Animated);
            }
            Box::new(decoder)
        }
        ImageFormat::WebP => {
            let decoder = WebPDecoder::new(file).map_err(failed)?;
            if decoder.has_animation() {
                return Err(ImageError::Animated);
            }
            Box::new(decoder)
        }
        _ => return Err(ImageError::UnknownFormat),
    })
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    limits
}

/// Three or four channels of 8 bits, whatever it was.
fn plain(pixels: DynamicImage) -> DynamicImage {
    if !pixels.color().has_alpha() {
        return pixels.into_rgb8().into();
    }
    let pixels = pixels.into_rgba8();
    if pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX) {
        return DynamicImage::from(pixels).into_rgb8().into();
    }
    pixels.into()
}

/// Whether colours would be wrong without this profile. One of greys or inks says nothing about decoded pixels.
fn is_worth_keeping(profile: &[u8]) -> bool {
    let names = [&b"sRGB"[..], b"s\0R\0G\0B"];
    let is_srgb = names.iter().any(|name| profile.windows(name.len()).any(|part| part == *name));
    profile.get(16..20) == Some(b"RGB ") && profile.len() <= MAX_PROFILE_BYTES && !is_srgb
}

fn broken(error: &image::ImageError) -> ImageError {
    ImageError::Broken(error.to_string())
}
