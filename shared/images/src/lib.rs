//! One picture in, its resized WebP variants out.
//!
//! Owns how a picture is read, turned upright, made smaller and encoded, and which variants are worth making. Pure:
//! bytes in, bytes out. Leaves to others where pictures come from, where variants are kept, and how pages name them.
//!
//! A picture is hostile until it is decoded. What it may take is known from its headers before it takes it: [`MAX_PIXELS`]
//! bounds its size, and [`Memory`] what all pictures in work take together. The time is that of decoding so many pixels,
//! in a JPEG file that is shown bit by bit up to a hundred times. What a camera wrote into the file (place, time, serial
//! number) stays behind; only a profile of colours other than sRGB goes along, since without it the colours would be
//! wrong.
//!
//! Start reading at [`make_variants`]; `plan` says which sizes, `decode`, `resize` and `encode` are its steps.

mod decode;
mod encode;
mod memory;
mod plan;
mod resize;
#[cfg(test)]
mod tests;

pub use decode::{MAX_PIXELS, measure};
pub use memory::{MAX_BYTES, Memory};
pub use plan::{CLEARLY_SMALLER_PERCENT, FULL_SIZE_UP_TO, LONGEST_SIDE, TINY, WIDTHS};

use decode::Decoded;

/// Raised when other variants are made than before, or of more pictures.
pub const EDITION: u32 = 2;

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

/// Makes all variants of a picture that are worth having, as soon as there is memory for it.
///
/// Asks `go_on` while it waits and between its steps. Decoding is one step, which takes seconds for the largest pictures.
///
/// # Errors
/// When it is no picture of a known format, animated, too large or broken, or when `go_on` says no.
pub fn make_variants(file: &[u8], memory: &Memory, go_on: &dyn Fn() -> bool) -> Result<Made, ImageError> {
    let check = || if go_on() { Ok(()) } else { Err(ImageError::Stopped) };
    let opened = decode::open(file)?;
    let _share = memory.take(opened.needs, go_on).ok_or(ImageError::Stopped)?;
    let Decoded { mut pixels, profile, format } = opened.decode()?;
    let (width, height) = (pixels.width(), pixels.height());
    let mut variants = Vec::new();
    for size in plan::sizes_for(width, height, format) {
        check()?;
        pixels = resize::to_size(pixels, size)?;
        check()?;
        let webp = encode::webp(&pixels, profile.as_deref())?;
        if plan::is_worth_keeping(webp.len(), file.len(), size == (width, height)) {
            variants.push(Variant { width: size.0, height: size.1, webp });
        }
    }
    variants.reverse();
    Ok(Made { width, height, variants })
}
