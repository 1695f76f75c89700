//! One picture in, its resized WebP variants out.
//!
//! Owns how a picture is read, turned upright, made smaller and encoded, and which variants are worth making. Pure:
//! bytes in, bytes out. Leaves to others where pictures come from, where variants are kept, and how pages name them.
//!
//! A picture is hostile until it is decoded: [`MAX_PIXELS`] and [`MAX_DECODED_BYTES`] bound memory and, since every step
//! is linear in them, time. What a camera wrote into the file (place, time, serial number) stays behind; only a
//! profile of colours other than sRGB goes along, since without it the colours would be wrong.
//!
//! Start reading at [`make_variants`]; `plan` says which widths, `decode`, `resize` and `encode` are its steps.

mod decode;
mod encode;
mod plan;
mod resize;
#[cfg(test)]
mod tests;

pub use decode::{MAX_DECODED_BYTES, MAX_PIXELS, measure};
pub use plan::{CLEARLY_SMALLER_PERCENT, FULL_SIZE_UP_TO, TINY, WIDTHS};

use decode::Decoded;

/// What became of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// How wide it is shown, in pixels: upright, as its orientation says.
    pub width: u32,
    /// How high.
    pub height: u32,
    /// Its variants, narrowest first; none if none is worth having.
    pub variants: Vec<Variant>,
}

/// A picture made smaller, as WebP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its width in pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// The file.
    pub webp: Vec<u8>,
}

/// Why a picture has no variants.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Not JPEG, PNG or WebP.
    #[error("this is no JPEG, PNG or WebP file, so it is shown as it is")]
    UnknownFormat,
    /// It moves; a variant would not.
    #[error("the picture is animated, so it is shown as it is")]
    Animated,
    /// It would take too much memory.
    #[error(
        "the picture is {width} x {height} pixels, which is too large to make smaller ones of it; upload a smaller one"
    )]
    TooLarge {
        /// Its width in pixels.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// It can not be decoded.
    #[error("the picture is broken ({0}); upload it again")]
    Broken(String),
    /// A variant could not be made of a sound picture.
    #[error("no smaller picture could be made: {0}")]
    Failed(String),
    /// The caller asked for it.
    #[error("stopped before all variants were made")]
    Stopped,
}

/// Makes all variants of a picture that are worth having.
///
/// Asks `go_on` between the steps, each of which takes a second at most.
///
/// # Errors
/// When it is no picture of a known format, animated, too large or broken, or when `go_on` says no.
pub fn make_variants(file: &[u8], go_on: &dyn Fn() -> bool) -> Result<Made, ImageError> {
    let check = || if go_on() { Ok(()) } else { Err(ImageError::Stopped) };
    let Decoded { mut pixels, profile, format } = decode::decode(file)?;
    let (width, height) = (pixels.width(), pixels.height());
    let mut variants = Vec::new();
    for wanted in plan::widths_for(width, height, format) {
        check()?;
        pixels = resize::to_width(pixels, wanted)?;
        check()?;
        let webp = encode::webp(&pixels, profile.as_deref())?;
        if plan::is_worth_keeping(webp.len(), file.len(), wanted == width) {
            variants.push(Variant { width: pixels.width(), height: pixels.height(), webp });
        }
    }
    variants.reverse();
    Ok(Made { width, height, variants })
}
