//! SVG to PNG, with the one font that is part of this crate.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};
use std::sync::Arc;

const FONT: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");

/// Pixels per unit of the SVG, for sharp text on dense screens.
const SCALE: f32 = 2.0;

/// Largest side of a picture in pixels.
const LARGEST: f32 = 16_000.0;

/// Why a picture could not be painted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// The graph is too large for one picture.
    #[error("the graph is too large for a PNG; use the SVG")]
    TooLarge,
    /// The drawing was not understood by the painter.
    #[error("the drawing cannot be painted: {0}")]
    Painter(String),
}

pub(super) fn paint(svg: &str) -> Result<Vec<u8>, DrawError> {
    let mut fonts = Database::new();
    fonts.load_font_data(FONT.to_vec());
    let options =
        Options { fontdb: Arc::new(fonts), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| DrawError::Painter(error.to_string()))?;
    let size = tree.size();
    let (width, height) = (pixels(size.width())?, pixels(size.height())?);
    let mut canvas = Pixmap::new(width, height).ok_or(DrawError::TooLarge)?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut canvas.as_mut());
    canvas.encode_png().map_err(|error| DrawError::Painter(error.to_string()))
}

fn pixels(units: f32) -> Result<u32, DrawError> {
    let pixels = (units * SCALE).ceil();
    if !(1.0..=LARGEST).contains(&pixels) {
        return Err(DrawError::TooLarge);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and 16000, checked above"
    )]
    let pixels = pixels as u32;
    Ok(pixels)
}
