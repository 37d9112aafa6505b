//! What the kernels are timed on: every instruction set of this processor with every number of columns.

use tailwatch_kernels::Isa;

const COLUMNS: [usize; 4] = [64, 384, 768, 2048];

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    let isas = Isa::available().into_iter();
    isas.flat_map(|isa| COLUMNS.map(|columns| Case { isa, columns })).collect()
}

/// One of them.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// The instruction set.
    pub(crate) isa: Isa,
    /// The number of columns.
    pub(crate) columns: usize,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {}", self.isa, self.columns)
    }
}
