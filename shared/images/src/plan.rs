//! Which variants a picture gets.

use image::ImageFormat;

/// The widths of variants, in pixels: for phones, for a column of text at usual and at doubled density.
pub const WIDTHS: [u32; 3] = [480, 960, 1600];
/// Pictures up to this width get a WebP of their full size. What is wider than that is more than a page needs.
pub const FULL_SIZE_UP_TO: u32 = 2048;
/// A picture that is narrower or lower than this is left as it is.
pub const TINY: u32 = 200;
/// A WebP of full size is kept if it has at most this share of the original's bytes.
pub const CLEARLY_SMALLER_PERCENT: usize = 85;

/// The widths to try, widest first, so that each variant is made of the one before it.
pub(crate) fn widths_for(width: u32, height: u32, format: ImageFormat) -> Vec<u32> {
    if width < TINY || height < TINY {
        return Vec::new();
    }
    let full = (width <= FULL_SIZE_UP_TO && format != ImageFormat::WebP).then_some(width);
    // A variant that is hardly smaller than the picture itself saves nothing.
    let smaller = WIDTHS.into_iter().rev().filter(|narrower| narrower * 10 <= width * 9);
    full.into_iter().chain(smaller).collect()
}

/// Whether a variant saves bytes.
pub(crate) fn is_worth_keeping(bytes: usize, original: usize, is_full_size: bool) -> bool {
    if is_full_size { bytes * 100 <= original * CLEARLY_SMALLER_PERCENT } else { bytes < original }
}
