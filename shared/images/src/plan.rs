//! Which variants a picture gets.

use image::ImageFormat;

/// The widths of variants, in pixels: for phones, for a column of text at usual and at doubled density.
pub const WIDTHS: [u32; 3] = [480, 960, 1600];
/// Pictures up to this width get a WebP of their full size. What is wider than that is more than a page needs.
pub const FULL_SIZE_UP_TO: u32 = 2048;
/// WebP knows no side that is longer.
pub const LONGEST_SIDE: u32 = 16_383;
/// A picture that is narrower or lower than this is left as it is.
pub const TINY: u32 = 200;
/// A WebP of full size is kept if it has at most this share of the original's bytes.
pub const CLEARLY_SMALLER_PERCENT: usize = 85;

/// The sizes to try, widest first, so that each variant is made of the one before it.
pub(crate) fn sizes_for(width: u32, height: u32, format: ImageFormat) -> Vec<(u32, u32)> {
    if width < TINY || height < TINY {
        return Vec::new();
    }
    let full = (width <= FULL_SIZE_UP_TO && format != ImageFormat::WebP).then_some(width);
    // A variant that is hardly smaller than the picture itself saves nothing.
    let smaller = WIDTHS.into_iter().rev().filter(|narrower| narrower * 10 <= width * 9);
    let sizes = full.into_iter().chain(smaller).map(|wanted| (wanted, height_at(wanted, width, height)));
    sizes.filter(|(_, height)| *height <= LONGEST_SIDE).collect()
}

/// Rounded to the nearest, never nothing.
fn height_at(wanted: u32, width: u32, height: u32) -> u32 {
    let (wanted, width, height) = (u64::from(wanted), u64::from(width), u64::from(height));
    let scaled = (height * wanted + width / 2) / width;
    u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
}

/// Whether a variant saves bytes.
pub(crate) fn is_worth_keeping(bytes: usize, original: usize, is_full_size: bool) -> bool {
    if is_full_size { bytes * 100 <= original * CLEARLY_SMALLER_PERCENT } else { bytes < original }
}
