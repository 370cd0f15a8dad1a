//! The progress of a sync on a terminal: one bar per kind of object. Without a terminal, nothing is
//! drawn.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::db::sync_runs::SyncProgress;
use crate::domain::sync::ObjectKind;

/// The progress bars of one run.
pub(super) struct SyncBars {
    all: MultiProgress,
    bars: Vec<(ObjectKind, ProgressBar)>,
}

impl SyncBars {
    pub(super) fn new() -> Self {
        Self {
            all: MultiProgress::new(),
            bars: Vec::new(),
        }
    }

    /// Draws the progress of each kind.
    pub(super) fn show(&mut self, progress: &[SyncProgress]) {
        for kind in progress {
            let bar = self.bar(kind.kind);
            bar.set_length(count(kind.total.unwrap_or(kind.done)));
            bar.set_position(count(kind.done));
        }
    }

    /// Leaves the bars on the screen.
    pub(super) fn finish(&self) {
        for (_, bar) in &self.bars {
            bar.abandon();
        }
    }

    fn bar(&mut self, kind: ObjectKind) -> ProgressBar {
        if let Some((_, bar)) = self.bars.iter().find(|(of, _)| *of == kind) {
            return bar.clone();
        }
        let bar = self.all.add(ProgressBar::new(0));
        if let Ok(style) = ProgressStyle::with_template(
            "  {prefix:<10} {bar:32} {human_pos:>9} of {human_len:<9} {elapsed:>4}",
        ) {
            bar.set_style(style);
        }
        bar.set_prefix(kind.code().to_lowercase());
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        self.bars.push((kind, bar.clone()));
        bar
    }
}

fn count(objects: i32) -> u64 {
    u64::try_from(objects).unwrap_or(0)
}
