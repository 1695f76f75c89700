//! Making pixels fewer: Lanczos with three lobes, on the vector units of the processor.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage, RgbaImage};

use crate::ImageError;

/// Makes a picture this wide and high.
pub(crate) fn to_size(pixels: DynamicImage, (width, height): (u32, u32)) -> Result<DynamicImage, ImageError> {
    if (pixels.width(), pixels.height()) == (width, height) {
        return Ok(pixels);
    }
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

fn failed(error: &dyn std::fmt::Display) -> ImageError {
    ImageError::Failed(error.to_string())
}
