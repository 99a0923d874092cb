//! The directory of the store: private, on a disk that SQLite can trust, one file in it.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::fault::file_fault;
use crate::error::{Error, Kind, Result};

/// The name of the store's file in its directory.
pub(super) const FILE: &str = "store.db";

/// Makes the directory if it is missing, private to the user, and refuses one that is no place for a store.
pub(super) fn prepare(dir: &Path) -> Result<PathBuf> {
    let fail = |e| file_fault(format!("could not make the directory {}", dir.display()), e);
    if !dir.is_dir() {
        if let Some(parent) = dir.parent() {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => made.map_err(fail)?,
        }
    }
    let dir = dir.canonicalize().map_err(fail)?;
    if let Some(why) = unfit(&dir) {
        return Err(Error::new(Kind::Store, format!("the store cannot be kept in {}: {why}", dir.display()))
            .hint("choose a directory on a disk of this machine: --data DIR or MAILTUI_DATA"));
    }
    // A directory that is ours alone is made private; one shared with other things is left as it is, since
    // every file of the store is private itself.
    let ours = dir.join(FILE).exists() || fs::read_dir(&dir).map_err(fail)?.next().is_none();
    let mode = fs::metadata(&dir).map_err(fail)?.permissions().mode();
    if ours && mode & 0o077 != 0 {
        // Refused where the directory is another user's: then writing to it fails, in words, soon after.
        let _ = fs::set_permissions(&dir, Permissions::from_mode(0o700));
    }
    Ok(dir)
}

/// Makes a directory within the store's, private.
pub(super) fn subdirectory(path: &Path) -> std::io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Opens a file of the store's directory for reading and writing, made if missing, private in any case.
pub(super) fn private_file(path: &Path) -> Result<fs::File> {
    let fail = |e| file_fault(format!("could not open {}", path.display()), e);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(fail)?;
    let mode = file.metadata().map_err(fail)?.permissions().mode();
    if mode & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600)).map_err(fail)?;
    }
    Ok(file)
}

/// Why no store may live here, in words.
fn unfit(dir: &Path) -> Option<String> {
    if let Some(tool) = synced(dir) {
        return Some(format!("it is inside a directory that {tool} copies between machines"));
    }
    remote(dir).map(|kind| format!("it is on a network file system ({kind})"))
}

/// The program that keeps a directory above in step with other machines, by the marks it leaves.
fn synced(dir: &Path) -> Option<&'static str> {
    const MARKS: [(&str, &str); 6] = [
        (".stfolder", "Syncthing"),
        (".dropbox", "Dropbox"),
        (".dropbox.cache", "Dropbox"),
        (".nextcloudsync.log", "Nextcloud"),
        (".owncloudsync.log", "ownCloud"),
        (".SeafileData", "Seafile"),
    ];
    dir.ancestors().find_map(|above| {
        // `~/.dropbox` is Dropbox's own state, beside its folder: that does not make the home one.
        let inside =
            |mark: &str| above.join(mark).exists() && !(mark == ".dropbox" && above.join(mark).is_dir());
        MARKS.iter().find(|(mark, _)| inside(mark)).map(|(_, tool)| *tool)
    })
}

#[cfg(target_os = "linux")]
fn remote(dir: &Path) -> Option<String> {
    let magic = rustix::fs::statfs(dir).ok()?.f_type;
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    #[allow(clippy::cast_sign_loss, reason = "a magic number; its type differs by architecture")]
    #[allow(clippy::cast_possible_truncation, reason = "the magic numbers have 32 bits")]
    network_kind(magic as u32, || mount_type(&mounts(), dir))
}

#[cfg(not(target_os = "linux"))]
fn remote(_: &Path) -> Option<String> {
    None
}

/// The name of a network file system, by the magic number of `statfs`; FUSE by the type it is mounted as.
#[cfg(target_os = "linux")]
fn network_kind(magic: u32, mounted_as: impl FnOnce() -> Option<String>) -> Option<String> {
    const NETWORK: [(u32, &str); 13] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB2"),
        (0x5346_414F, "AFS"),
        (0x6B41_4653, "AFS"),
        (0x7375_7245, "Coda"),
        (0x564C, "NCP"),
        (0x0102_1997, "9P"),
        (0x00C3_6400, "Ceph"),
        (0x0BD0_0BD0, "Lustre"),
        (0x7461_636F, "OCFS2"),
        (0x786F_4256, "VirtualBox share"),
    ];
    const FUSE: u32 = 0x6573_5546;
    const FAR: [&str; 11] = [
        "sshfs",
        "rclone",
        "gvfsd-fuse",
        "s3fs",
        "davfs",
        "curlftpfs",
        "glusterfs",
        "onedrive",
        "ceph",
        "google",
        "kio-fuse",
    ];
    if magic == FUSE {
        let kind = mounted_as()?;
        return FAR.iter().any(|far| kind.contains(far)).then_some(kind);
    }
    NETWORK.iter().find(|(number, _)| *number == magic).map(|(_, name)| (*name).to_owned())
}

/// The type of the mount that holds `dir`, from the text of `/proc/self/mountinfo` (proc(5)).
#[cfg(target_os = "linux")]
fn mount_type(mountinfo: &str, dir: &Path) -> Option<String> {
    let line = |line: &str| {
        let (place, kind) = line.split_once(" - ")?;
        // Spaces and such are written as octal escapes.
        let at = place.split(' ').nth(4)?.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
        dir.starts_with(&at).then(|| (at.len(), kind.split(' ').next().unwrap_or_default().to_owned()))
    };
    // The longest path wins; of equal ones the last mounted.
    mountinfo.lines().filter_map(line).max_by_key(|(len, _)| *len).map(|(_, kind)| kind)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_new_directory_and_its_files_are_private() {
        let base = tempfile::tempdir().unwrap();
        let dir = prepare(&base.path().join("a/b")).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        let path = dir.join("file");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        private_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_shared_directory_keeps_its_mode() {
        let base = tempfile::tempdir().unwrap();
        fs::set_permissions(base.path(), Permissions::from_mode(0o755)).unwrap();
        fs::write(base.path().join("something else"), "").unwrap();
        prepare(base.path()).unwrap();
        assert_eq!(fs::metadata(base.path()).unwrap().permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn a_directory_in_a_synced_folder_is_refused_in_words() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join(".stfolder")).unwrap();
        let error = prepare(&base.path().join("mail/store")).unwrap_err();
        assert_eq!(error.kind(), Kind::Store);
        assert!(error.to_string().contains("Syncthing"), "{error}");
        assert!(error.hint_text().is_some());
    }

    #[test]
    fn network_file_systems_are_known_by_number_and_by_mount() {
        assert_eq!(network_kind(0x6969, || None).as_deref(), Some("NFS"));
        assert_eq!(network_kind(0xEF53, || None), None);
        let fuse = |kind: &str| network_kind(0x6573_5546, || Some(kind.to_owned()));
        assert_eq!(fuse("fuse.sshfs").as_deref(), Some("fuse.sshfs"));
        assert_eq!(fuse("fuse.gocryptfs"), None);
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      40 22 0:50 / /home/ada/far\\040away rw,nosuid - fuse.sshfs host: rw\n";
        assert_eq!(mount_type(mounts, Path::new("/home/ada/far away/x")).as_deref(), Some("fuse.sshfs"));
        assert_eq!(mount_type(mounts, Path::new("/home/ada/farther")).as_deref(), Some("ext4"));
    }
}
