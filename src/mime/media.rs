//! Media types and file names in people's words.

/// What a part is, in a word or two: from its media type, or from its name where that says nothing.
pub(super) fn word(media: &str, name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
    of_type(media).or_else(|| of_extension(&extension)).unwrap_or("file")
}

fn of_type(media: &str) -> Option<&'static str> {
    Some(match media {
        "application/pdf" | "application/x-pdf" => "PDF",
        "text/calendar" | "application/ics" => "invitation",
        "text/vcard" | "text/x-vcard" | "text/directory" => "contact card",
        "text/html" | "application/xhtml+xml" => "web page",
        "text/csv" => "table",
        "text/x-patch" | "text/x-diff" => "patch",
        "message/rfc822" | "message/global" | "message/news" => "mail",
        "message/delivery-status" | "message/global-delivery-status" => "delivery report",
        "message/disposition-notification" => "read receipt",
        "message/feedback-report" => "complaint report",
        "text/rfc822-headers" => "header of the mail",
        "application/pgp-signature" | "application/pkcs7-signature" | "application/x-pkcs7-signature" => {
            "signature"
        }
        "application/pgp-encrypted" | "application/pkcs7-mime" | "application/x-pkcs7-mime" => "encrypted",
        "application/pgp-keys" => "key",
        "application/ms-tnef" | "application/vnd.ms-tnef" => "Outlook's own format",
        "application/zip"
        | "application/gzip"
        | "application/x-gzip"
        | "application/x-tar"
        | "application/x-7z-compressed"
        | "application/x-rar-compressed"
        | "application/vnd.rar"
        | "application/x-zip-compressed"
        | "application/zstd" => "archive",
        "application/msword" | "application/rtf" => "document",
        "application/json" | "application/xml" | "text/xml" => "data",
        _ if media.starts_with("image/") => "image",
        _ if media.starts_with("audio/") => "sound",
        _ if media.starts_with("video/") => "video",
        _ if media.contains("wordprocessing") || media.ends_with("opendocument.text") => "document",
        _ if media.contains("spreadsheet") || media.contains("ms-excel") => "spreadsheet",
        _ if media.contains("presentation") || media.contains("powerpoint") => "slides",
        _ => return None,
    })
}

fn of_extension(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "pdf" => "PDF",
        "png" | "jpg" | "jpeg" | "gif" | "webp" | "heic" | "svg" | "bmp" | "tif" | "tiff" => "image",
        "mp3" | "ogg" | "wav" | "flac" | "m4a" | "opus" => "sound",
        "mp4" | "mkv" | "webm" | "mov" | "avi" => "video",
        "zip" | "gz" | "tgz" | "tar" | "7z" | "rar" | "xz" | "bz2" | "zst" => "archive",
        "doc" | "docx" | "odt" | "rtf" => "document",
        "xls" | "xlsx" | "ods" => "spreadsheet",
        "csv" | "tsv" => "table",
        "ppt" | "pptx" | "odp" => "slides",
        "ics" => "invitation",
        "vcf" => "contact card",
        "html" | "htm" => "web page",
        "eml" => "mail",
        "patch" | "diff" => "patch",
        "txt" | "log" | "md" => "text",
        "exe" | "msi" | "bat" | "cmd" | "scr" | "js" | "vbs" | "ps1" | "com" | "jar" | "app" | "deb"
        | "rpm" | "sh" => "program",
        _ => return None,
    })
}

/// The usual ending of files of a media type, with its dot; empty where there is none.
pub(super) fn extension(media: &str) -> &'static str {
    match media {
        "application/pdf" => ".pdf",
        "application/zip" => ".zip",
        "application/json" => ".json",
        "application/pgp-keys" | "application/pgp-signature" => ".asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => ".p7s",
        "application/ms-tnef" => ".dat",
        "audio/mpeg" => ".mp3",
        "image/gif" => ".gif",
        "image/jpeg" | "image/jpg" => ".jpg",
        "image/png" => ".png",
        "image/svg+xml" => ".svg",
        "image/webp" => ".webp",
        "message/rfc822" | "message/global" | "message/news" => ".eml",
        "text/calendar" => ".ics",
        "text/csv" => ".csv",
        "text/html" => ".html",
        "text/vcard" | "text/x-vcard" => ".vcf",
        "text/x-patch" | "text/x-diff" => ".patch",
        "video/mp4" => ".mp4",
        _ if media.starts_with("text/") || media.starts_with("message/") => ".txt",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_names_become_words() {
        assert_eq!(word("application/pdf", ""), "PDF");
        assert_eq!(word("application/octet-stream", "Report.PDF"), "PDF");
        assert_eq!(word("image/x-whatever", "a"), "image");
        assert_eq!(word("application/octet-stream", "invoice.pdf.exe"), "program");
        assert_eq!(word("application/x-unheard-of", "noname"), "file");
        assert_eq!(extension("text/plain"), ".txt");
    }
}
