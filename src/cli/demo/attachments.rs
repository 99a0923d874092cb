//! The demo's attachments: small real files, made on the spot.

use std::fmt::Write as _;

use super::compose::{base64_lines, encode};

/// An attachment as a part with its headers. `kind` is `png`, `pdf`, `csv`, `txt` or `inline png`.
pub(super) fn part(kind: &str, name: &str, charset: &str) -> Vec<u8> {
    let (media, bytes) = match kind.trim_start_matches("inline ") {
        "png" => ("image/png", png(name)),
        "pdf" => ("application/pdf", pdf(name)),
        "csv" => ("text/csv", csv(name)),
        _ => ("text/plain", NOTES.replace('\n', "\r\n").into_bytes()),
    };
    let disposition = if kind.starts_with("inline") { "inline" } else { "attachment" };
    let name_parameter = if name.is_ascii() {
        format!("filename=\"{name}\"")
    } else {
        // RFC 2231.
        let mut encoded = String::new();
        for byte in encode(name, charset).0 {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    encoded.push(char::from(byte))
                }
                _ => {
                    let _ = write!(encoded, "%{byte:02X}");
                }
            }
        }
        format!("filename*={charset}''{encoded}")
    };
    let mut head = format!(
        "Content-Type: {media}\r\nContent-Disposition: {disposition};\r\n {name_parameter}\r\n\
         Content-Transfer-Encoding: base64\r\n"
    );
    if kind.starts_with("inline") {
        let _ = write!(head, "Content-ID: <{name}>\r\n");
    }
    [head.as_bytes(), b"\r\n", &base64_lines(&bytes)].concat()
}

const NOTES: &str = "\
Notes, as spoken into the recorder (wind left out).

  09:10  cast off, ebb, 3 knots of wind, one seal
  09:35  gauge 4: mussels. Scraped. Zero +2 mm against brass mark.
  10:05  gauge 5: hatch seal perished on the north side. Greased. Order 82 mm.
  10:40  gauge 6: perfect. Ducks.
  11:20  dropped the second-best screwdriver. Depth 4 m.
  11:21  found out that the second-best screwdriver was the best screwdriver.
  12:00  back on the slip
";

/// A small number from a name, always the same.
fn seed(name: &str) -> u32 {
    name.bytes().fold(2_166_136_261, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
}

const WIDTH: u32 = 96;
const HEIGHT: u32 = 60;

/// A seascape: sky, a sun, waves. Each name has its own hour and weather.
fn png(name: &str) -> Vec<u8> {
    let seed = seed(name);
    let (hour, swell) = (seed % 5, 2 + seed / 7 % 4);
    let sky =
        [[255u32, 190, 120], [150, 200, 240], [110, 170, 220], [240, 150, 140], [60, 70, 120]][hour as usize];
    let (sun_x, sun_y) = (12 + seed / 3 % 70, 8 + seed / 11 % 18);
    let mut pixels = Vec::new();
    for y in 0..HEIGHT {
        pixels.push(0);
        for x in 0..WIDTH {
            let wave = ((f64::from(x) / 7.0 + f64::from(seed % 97)).sin() * f64::from(swell)) as i64;
            let horizon = 36 + wave;
            let color = if i64::from(y) > horizon {
                let depth = y - u32::try_from(horizon.max(0)).unwrap_or(0).min(y);
                [20 + depth, 70 + 2 * depth, 110 + 2 * depth]
            } else if x.abs_diff(sun_x).pow(2) + y.abs_diff(sun_y).pow(2) < 30 {
                [255, 245, 200]
            } else {
                sky.map(|c| c * (90 - y) / 90)
            };
            pixels.extend(color.map(|c| u8::try_from(c.min(255)).unwrap_or(255)));
        }
    }
    let mut header = Vec::new();
    header.extend_from_slice(&WIDTH.to_be_bytes());
    header.extend_from_slice(&HEIGHT.to_be_bytes());
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", zlib(&pixels)), (b"IEND", Vec::new())] {
        file.extend_from_slice(&u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
        let body = [kind.as_slice(), &data].concat();
        file.extend_from_slice(&body);
        file.extend_from_slice(&crc32(&body).to_be_bytes());
    }
    file
}

/// RFC 1950 with stored blocks (RFC 1951 section 3.2.4).
fn zlib(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = data.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let size = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(&(!size).to_le_bytes());
        out.extend_from_slice(block);
    }
    let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    out.extend_from_slice(&(b << 16 | a).to_be_bytes());
    out
}

fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    };
    !data.iter().fold(!0, step)
}

/// One page with its own name on it.
fn pdf(name: &str) -> Vec<u8> {
    let title: String = name.trim_end_matches(".pdf").replace(['-', '_'], " ");
    let title: String = title.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').collect();
    let page = format!(
        "BT /F1 24 Tf 72 760 Td ({title}) Tj ET\n\
         BT /F1 11 Tf 72 720 Td (This page was made for the demo of mailtui.) Tj 0 -16 Td \
         (It is a real PDF: save it with w and open it with what you like.) Tj ET\n"
    );
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}endstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (i, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", i + 1);
    }
    let start = file.len();
    let _ = write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(file, "{offset:010} 00000 n ");
    }
    let _ =
        write!(file, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    file.into_bytes()
}

/// A day of the tide at ten minutes.
fn csv(name: &str) -> Vec<u8> {
    let phase = f64::from(seed(name) % 700) / 100.0;
    let mut rows = String::from("minute,level_cm,battery_v,note\r\n");
    for step in 0..144 {
        let t = f64::from(step) * 10.0;
        let level = 210.0
            + 160.0 * (t * std::f64::consts::TAU / 745.2 + phase).sin()
            + 12.0 * (t / 186.3 * std::f64::consts::TAU).sin();
        let _ = write!(rows, "{t:.0},{level:.1},{:.2},\r\n", 12.6 - t / 20_000.0);
    }
    rows.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_known_ones() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        // The Adler-32 of this word is the one of its article in the encyclopaedia.
        assert_eq!(zlib(b"Wikipedia")[2 + 5 + 9..], 0x11e6_0398_u32.to_be_bytes());
    }

    #[test]
    fn a_pdf_points_at_its_objects() {
        let file = pdf("tide-tables.pdf");
        let text = String::from_utf8(file).unwrap();
        let xref: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        assert!(text[xref..].starts_with("xref\n0 6\n"));
        let third = text[xref..].lines().nth(5).unwrap();
        let offset: usize = third[..10].parse().unwrap();
        assert!(text[offset..].starts_with("3 0 obj"), "{third}");
    }
}
