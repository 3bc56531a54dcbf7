//! A QR code as a picture that a page can show.

use std::io::Cursor;

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{ImageFormat, Luma};
use qrcode::{EcLevel, QrCode};

use crate::Fault;

/// `data:image/png;base64,…` of that text, black on white with the quiet zone a scanner needs.
pub(crate) fn data_url(text: &str) -> Result<String, Fault> {
    // WhatsApp's own page uses level L: the codes are long, and fewer modules scan better from a screen.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(Fault::internal)?;
    let picture = code.render::<Luma<u8>>().module_dimensions(8, 8).quiet_zone(true).build();
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(Fault::internal)?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png.into_inner())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_png() {
        let url = data_url("2@ref,key,identity,secret").expect("a picture");
        let png = STANDARD.decode(url.strip_prefix("data:image/png;base64,").expect("a data url")).expect("base64");
        let picture = image::load_from_memory(&png).expect("a png").into_luma8();
        assert_eq!(picture.width(), picture.height());
        assert_eq!(picture.get_pixel(0, 0).0, [255], "the quiet zone is white");
        assert_eq!(picture.get_pixel(36, 36).0, [0], "the corner's mark is black");
        assert!(data_url(&"x".repeat(10_000)).is_err(), "more than a code can hold");
    }
}
