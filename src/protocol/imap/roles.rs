//! What a folder is for: as the server says (RFC 6154), or by what people call such a folder.

use std::collections::HashSet;

use super::reply::Listed;
use crate::model::Role;
use crate::protocol::RemoteFolder;

/// The role that an attribute, in lower case, names (RFC 6154 section 2).
pub(super) fn of_attribute(attribute: &str) -> Option<Role> {
    Some(match attribute {
        "\\all" => Role::All,
        "\\archive" => Role::Archive,
        "\\drafts" => Role::Drafts,
        "\\junk" => Role::Junk,
        "\\sent" => Role::Sent,
        "\\trash" => Role::Trash,
        _ => return None,
    })
}

/// Names by which folders are known where the server does not say what they are for, in lower case.
const KNOWN: [(Role, &[&str]); 5] = [
    (
        Role::Drafts,
        &[
            "drafts",
            "draft",
            "entwürfe",
            "brouillons",
            "borradores",
            "bozze",
            "rascunhos",
            "concepten",
            "utkast",
            "kladder",
            "luonnokset",
            "wersje robocze",
            "szkice",
            "koncepty",
            "rozepsané",
            "piszkozatok",
            "черновики",
            "чернетки",
            "taslaklar",
            "πρόχειρα",
            "下書き",
            "草稿",
            "草稿箱",
            "임시보관함",
        ],
    ),
    (
        Role::Sent,
        &[
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
            "sent-mail",
            "gesendet",
            "gesendete elemente",
            "gesendete objekte",
            "envoyés",
            "éléments envoyés",
            "messages envoyés",
            "enviados",
            "elementos enviados",
            "posta inviata",
            "inviata",
            "itens enviados",
            "verzonden",
            "verzonden items",
            "skickat",
            "sendt",
            "sendt post",
            "lähetetyt",
            "wysłane",
            "odeslaná pošta",
            "odeslané",
            "elküldött",
            "отправленные",
            "надіслані",
            "gönderilmiş",
            "gönderilenler",
            "απεσταλμένα",
            "送信済み",
            "送信済みメール",
            "已发送",
            "已发送邮件",
            "寄件備份",
            "보낸편지함",
        ],
    ),
    (
        Role::Archive,
        &[
            "archive",
            "archives",
            "archived",
            "archiv",
            "archivos",
            "archivo",
            "archivio",
            "arquivo",
            "archief",
            "arkiv",
            "arkisto",
            "archiwum",
            "архив",
            "архів",
            "arşiv",
            "アーカイブ",
            "归档",
            "封存",
        ],
    ),
    (
        Role::Junk,
        &[
            "junk",
            "spam",
            "junk e-mail",
            "junk email",
            "junk mail",
            "bulk mail",
            "spamverdacht",
            "unerwünscht",
            "courrier indésirable",
            "indésirables",
            "correo no deseado",
            "posta indesiderata",
            "lixo eletrônico",
            "lixo eletrónico",
            "ongewenste e-mail",
            "skräppost",
            "søppelpost",
            "uønsket post",
            "roskaposti",
            "wiadomości-śmieci",
            "nevyžádaná pošta",
            "levélszemét",
            "спам",
            "нежелательная почта",
            "önemsiz",
            "gereksiz",
            "迷惑メール",
            "垃圾邮件",
            "垃圾郵件",
            "스팸편지함",
        ],
    ),
    (
        Role::Trash,
        &[
            "trash",
            "deleted items",
            "deleted messages",
            "deleted",
            "bin",
            "papierkorb",
            "gelöscht",
            "gelöschte elemente",
            "gelöschte objekte",
            "corbeille",
            "éléments supprimés",
            "papelera",
            "elementos eliminados",
            "cestino",
            "posta eliminata",
            "lixeira",
            "lixo",
            "itens excluídos",
            "prullenbak",
            "verwijderde items",
            "papperskorg",
            "papirkurv",
            "slettet post",
            "roskakori",
            "poistetut",
            "kosz",
            "koš",
            "odstraněná pošta",
            "kuka",
            "корзина",
            "удаленные",
            "кошик",
            "çöp kutusu",
            "κάδος",
            "ゴミ箱",
            "已删除",
            "已删除邮件",
            "刪除的郵件",
            "휴지통",
        ],
    ),
];

/// What a folder with this path is most likely for. Only names at the top count, and those right
/// beneath INBOX or a provider's own root.
pub(super) fn of_path(path: &str) -> Option<Role> {
    let name = match path.rsplit_once('/') {
        None => path,
        Some(("INBOX" | "[Gmail]" | "[Google Mail]", name)) => name,
        Some(_) => return None,
    };
    if name == "INBOX" {
        return Some(Role::Inbox);
    }
    let name = name.to_lowercase();
    KNOWN.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(role, _)| *role)
}

/// Each role to one folder: first as the user says, then as the server does, then by well-known names. `labels`:
/// whether folders are labels. What is `theirs`, not the user's own, has one only if the user says so (RFC 2342).
pub(super) fn give(
    folders: &mut [RemoteFolder],
    (listed, theirs): (&[Listed], &[bool]),
    own: &[(Role, String)],
    labels: bool,
) {
    let mut given = HashSet::new();
    if let Some(inbox) = folders.iter_mut().find(|folder| folder.remote == "INBOX") {
        inbox.role = Some(Role::Inbox);
        given.insert(Role::Inbox);
    }
    for (role, path) in own {
        let named = |folder: &&mut RemoteFolder| folder.path == *path || folder.remote == *path;
        match folders.iter_mut().filter(|folder| folder.selectable && folder.role.is_none()).find(named) {
            Some(folder) => folder.role = Some(*role).filter(|role| given.insert(*role)),
            None => tracing::warn!("the folder that the configuration names for {role:?} is not there"),
        }
    }
    for ((folder, listed), _) in folders.iter_mut().zip(listed).zip(theirs).filter(|(_, theirs)| !**theirs) {
        let role = listed.attributes.iter().find_map(|a| of_attribute(a));
        if folder.selectable && folder.role.is_none() {
            folder.role = role.filter(|role| given.insert(*role));
        }
    }
    // Where folders are labels, mail is archived by taking it out of the inbox: a label that happens to be called
    // so is no archive.
    if labels && given.contains(&Role::All) {
        given.insert(Role::Archive);
    }
    let ours = folders.iter_mut().zip(theirs).filter(|(_, theirs)| !**theirs).map(|(folder, _)| folder);
    for folder in ours.filter(|folder| folder.selectable && folder.role.is_none()) {
        folder.role = of_path(&folder.path).filter(|role| given.insert(*role));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_by_name_in_several_languages() {
        assert_eq!(of_path("INBOX"), Some(Role::Inbox));
        assert_eq!(of_path("Papierkorb"), Some(Role::Trash));
        assert_eq!(of_path("[Gmail]/Messages envoyés"), Some(Role::Sent));
        assert_eq!(of_path("INBOX/ЧЕРНОВИКИ"), Some(Role::Drafts));
        assert_eq!(of_path("Projects/Sent"), None);
        assert_eq!(of_path("Sentinel"), None);
    }
}
