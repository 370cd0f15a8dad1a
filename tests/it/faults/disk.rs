//! A disk of two megabytes, which can be filled to the last byte. It has to be mounted, which only root may.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use uuid::Uuid;

/// The disk. Nothing is mounted any more when this is dropped.
pub(super) struct SmallDisk {
    directory: PathBuf,
}

impl SmallDisk {
    /// Mounts one that belongs to whom the server's data belongs to. `None`: nobody may mount here.
    pub(super) fn mount(data: &Path) -> Option<Self> {
        let owner = fs::metadata(data).unwrap().uid();
        let name = Uuid::new_v4().simple().to_string();
        let directory = std::env::temp_dir().join(format!("xboard-disk-{}", &name[..12]));
        fs::create_dir(&directory).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size=2m,mode=700,uid={owner}"))
            .args([Path::new("tmpfs"), &directory])
            .output();
        let disk = Self { directory };
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(disk)
    }

    /// Where it is mounted.
    pub(super) fn path(&self) -> &str {
        self.directory.to_str().unwrap()
    }

    fn filler(&self) -> PathBuf {
        self.directory.join("filler")
    }

    /// Leaves not one page.
    pub(super) fn fill(&self) {
        let mut file = fs::File::create(self.filler()).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    /// Makes room.
    pub(super) fn empty(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The server may still have its files open: they go with it.
        let unmounted = Command::new("umount")
            .arg("-l")
            .arg(&self.directory)
            .status();
        drop(unmounted);
        drop(fs::remove_dir(&self.directory));
    }
}
