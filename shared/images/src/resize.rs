//! Making pixels fewer: Lanczos with three lobes, on the vector units of the processor.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage, RgbaImage};

use crate::ImageError;

/// Makes a picture this wide, and as high as its shape asks.
pub(crate) fn to_width(pixels: DynamicImage, width: u32) -> Result<DynamicImage, ImageError> {
    if pixels.width() == width {
        return Ok(pixels);
    }
    let height = height_at(&pixels, width);
    let kind = if pixels.color().has_alpha() { PixelType::U8x4 } else { PixelType::U8x3 };
    let source =
        ImageRef::new(pixels.width(), pixels.height(), pixels.as_bytes(), kind).map_err(|error| failed(&error))?;
    let mut target = Image::new(width, height, kind);
    Resizer::new().resize(&source, &mut target, &ResizeOptions::new()).map_err(|error| failed(&error))?;
    let bytes = target.into_vec();
    let resized = match kind {
        PixelType::U8x4 => RgbaImage::from_raw(width, height, bytes).map(DynamicImage::from),
        _ => RgbImage::from_raw(width, height, bytes).map(DynamicImage::from),
    };
    resized.ok_or_else(|| ImageError::Failed("the pixels do not fill the picture".to_owned()))
}

/// Rounded to the nearest, never nothing.
fn height_at(pixels: &DynamicImage, width: u32) -> u32 {
    let (from, height) = (u64::from(pixels.width()), u64::from(pixels.height()));
    let scaled = (height * u64::from(width) + from / 2) / from;
    u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
}

fn failed(error: &dyn std::fmt::Display) -> ImageError {
    ImageError::Failed(error.to_string())
}
