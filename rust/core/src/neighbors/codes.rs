//! Rows as `i8` codes in panels, with what certifies a distance between them. Level 2.
//!
//! A [`Frame`] fixes the coordinates in which sets are coded: a centre is taken off, and where it makes
//! codes finer the rows are rotated. Both leave every distance as it is. Of each row z in the frame,
//! ẑ = s·c is kept as the codes c with their scale s, its squared length, and a residual e ≥ ‖z − ẑ‖ that
//! has all rounding in it. By the triangle inequality │‖x−y‖ − ‖x̂−ŷ‖│ ≤ e_x + e_y.
//! Cost: one pass over the rows; memory: a byte a value and about 90 bytes a row.

use rayon::prelude::*;
use tailwatch_kernels::tile8::{BaseTest, GROUP, GROUP_BYTES, MOST_COLUMNS, PANEL};
use tailwatch_kernels::{Isa, quantize, rotate};

use super::bound;
use crate::control::Control;
use crate::error::Result;
use crate::moments::add_scaled;
use crate::rows::Rows;
use crate::streams::Stream;

/// Columns from which codes pay: below, measuring every pair costs no more than looking at codes.
pub(crate) const LEAST_COLUMNS: usize = 16;
/// Rows that the centre and the choice of a rotation rest on.
const SAMPLE: usize = 1024;
/// A rotation must shrink the residuals to this share to be worth its time.
const WORTHWHILE: f64 = 0.8;

/// The coordinates in which sets are coded, and the unit of their tests.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    centre: Vec<f64>,
    signs: Option<Vec<f64>>,
    /// The power of two that lengths are divided by before they become `f32`.
    unit: f64,
}

impl Frame {
    /// A frame for `rows` and sets to be compared with them; `None` where codes do not pay.
    pub(crate) fn of(rows: &Rows<'_>, control: &Control) -> Option<Self> {
        if !(LEAST_COLUMNS..=MOST_COLUMNS).contains(&rows.columns()) {
            return None;
        }
        Some(Self::fitting(rows, control))
    }

    /// The same whatever the number of columns.
    fn fitting(rows: &Rows<'_>, control: &Control) -> Self {
        let (n, d) = (rows.len(), rows.columns());
        let count = n.min(SAMPLE);
        // Evenly spaced: leading rows of sorted data would not do.
        let sample: Vec<Vec<f64>> = (0..count)
            .map(|i| {
                let mut row = vec![0.0; d];
                rows.read(i * n / count, &mut row);
                row
            })
            .collect();
        let mut centre = vec![0.0; d];
        for row in &sample {
            add_scaled(&mut centre, row, (count as f64).recip());
        }
        let mut frame = Self { centre, signs: None, unit: 1.0 };
        let mut stream = Stream::new(0, "rotation", 0);
        let signs = (0..d).map(|_| if stream.uniform() < 0.5 { -1.0 } else { 1.0 }).collect();
        let rotated = Self { signs: Some(signs), ..frame.clone() };
        let (plain, largest) = frame.residuals(&sample, control);
        if rotated.residuals(&sample, control).0 < WORTHWHILE * plain {
            frame = rotated;
        }
        if largest > 0.0 {
            frame.unit = largest.log2().round().exp2();
        }
        frame
    }

    /// The sum of the residuals of some rows, and their largest length.
    fn residuals(&self, sample: &[Vec<f64>], control: &Control) -> (f64, f64) {
        let one = |(entered, codes): &mut (Vec<f64>, Vec<i8>), row: &Vec<f64>| {
            entered.clone_from(row);
            codes.resize(row.len(), 0);
            self.enter(control.isa(), entered);
            let code = quantize(control.isa(), entered, codes);
            (code.residual.sqrt(), code.norm.sqrt())
        };
        let found: Vec<(f64, f64)> =
            control.run(|| sample.par_iter().map_init(Default::default, one).collect());
        // Added up in the order of the rows, whatever the threads.
        found.iter().fold((0.0, 0.0), |(sum, largest), &(residual, length)| {
            (sum + residual, f64::max(largest, length))
        })
    }

    /// Moves a row into the frame.
    fn enter(&self, isa: Isa, row: &mut [f64]) {
        add_scaled(row, &self.centre, -1.0);
        if let Some(signs) = &self.signs {
            rotate(isa, signs, row);
        }
    }
}

/// What is known of a coded row ẑ = s·c; a cache line, because rows are looked up one here, one there.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(crate) struct Coded {
    /// s.
    pub(crate) scale: f64,
    /// ‖ẑ‖².
    pub(crate) square: f64,
    /// At least ‖ẑ‖.
    pub(crate) length: f64,
    /// ‖z‖², to within 2⁻⁴⁰ of it.
    pub(crate) norm: f64,
    /// At least ‖z − ẑ‖.
    pub(crate) residual: f64,
    /// Σc.
    pub(crate) sum: i32,
}

/// The codes of a set.
pub(crate) struct Codes {
    panels: Vec<i8>,
    bytes: usize,
    rows: Vec<Coded>,
    tests: Vec<BaseTest>,
    unit: f64,
}

impl Codes {
    /// Codes `rows` in `frame`.
    pub(crate) fn of(rows: &Rows<'_>, frame: &Frame, control: &Control) -> Result<Self> {
        Self::trusting(rows, frame, 1.0, control)
    }

    /// The same with every residual multiplied by `trust`: below 1 nothing is certified any more, which
    /// tests use to see that they would notice.
    fn trusting(rows: &Rows<'_>, frame: &Frame, trust: f64, control: &Control) -> Result<Self> {
        let (n, d) = (rows.len(), rows.columns());
        let bytes = d.div_ceil(GROUP) * GROUP_BYTES;
        let mut panels = vec![0_i8; n.div_ceil(PANEL) * bytes];
        let coded: Result<Vec<(Vec<Coded>, BaseTest)>> = control.run(|| {
            let code = |(row, codes): &mut (Vec<f64>, Vec<i8>),
                        (panel, out): (usize, &mut [i8])| {
                control.check()?;
                row.resize(d, 0.0);
                // Zeros beyond the columns stay.
                codes.resize(d.next_multiple_of(GROUP), 0);
                let first = panel * PANEL;
                let one = |index: usize| {
                    rows.read(index, row);
                    frame.enter(control.isa(), row);
                    let code = quantize(control.isa(), row, &mut codes[..d]);
                    let (groups, _) = out.as_chunks_mut::<GROUP>();
                    let places = groups.iter_mut().skip(index - first).step_by(PANEL);
                    for (place, group) in places.zip(codes.as_chunks::<GROUP>().0) {
                        *place = *group;
                    }
                    let square = code.scale * code.scale * code.squares as f64;
                    Coded {
                        // Of codes that are all zero any scale is the right one.
                        scale: if code.scale > 0.0 { code.scale } else { frame.unit },
                        square,
                        length: square.sqrt() * (1.0 + 1e-12),
                        norm: code.norm,
                        residual: trust * bound::residual(code.residual, code.norm, d),
                        sum: code.sum,
                    }
                };
                let coded: Vec<Coded> = (first..(first + PANEL).min(n)).map(one).collect();
                let test = bound::base_test(&coded, frame.unit);
                Ok((coded, test))
            };
            let panels = panels.par_chunks_mut(bytes).enumerate();
            panels.map_init(Default::default, code).collect()
        });
        let (rows, tests): (Vec<Vec<Coded>>, Vec<BaseTest>) = coded?.into_iter().unzip();
        Ok(Self { panels, bytes, rows: rows.concat(), tests, unit: frame.unit })
    }

    /// The codes of the rows at `indices`, in that order, as they are.
    pub(crate) fn some(&self, indices: &[usize], control: &Control) -> Self {
        let bytes = self.bytes;
        let mut panels = vec![0_i8; indices.len().div_ceil(PANEL) * bytes];
        let gather = |(out, indices): (&mut [i8], &[usize])| {
            for (slot, &index) in indices.iter().enumerate() {
                let panel = &self.panels[index / PANEL * bytes..][..bytes];
                let (to, from) = (slot * GROUP, index % PANEL * GROUP);
                let groups = out.chunks_exact_mut(GROUP_BYTES).zip(panel.chunks_exact(GROUP_BYTES));
                for (out, codes) in groups {
                    out[to..to + GROUP].copy_from_slice(&codes[from..from + GROUP]);
                }
            }
        };
        control.run(|| {
            panels.par_chunks_mut(bytes).zip(indices.par_chunks(PANEL)).for_each(gather);
        });
        let rows: Vec<Coded> = indices.iter().map(|&index| self.rows[index]).collect();
        let tests = rows.chunks(PANEL).map(|panel| bound::base_test(panel, self.unit)).collect();
        Self { panels, bytes, rows, tests, unit: self.unit }
    }

    /// Codes of few or many columns alike, in a frame of `centre`.
    #[cfg(test)]
    pub(crate) fn of_any_width(
        rows: &Rows<'_>,
        centre: &Rows<'_>,
        trust: f64,
        control: &Control,
    ) -> Self {
        let frame = Frame::fitting(centre, control);
        Self::trusting(rows, &frame, trust, control).unwrap()
    }

    /// Rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// What is known of the rows of panels `panels`.
    pub(crate) fn rows_of(&self, panels: std::ops::Range<usize>) -> &[Coded] {
        &self.rows[panels.start * PANEL..(panels.end * PANEL).min(self.rows.len())]
    }

    /// The codes of panels `panels`.
    pub(crate) fn panels(&self, panels: std::ops::Range<usize>) -> &[i8] {
        &self.panels[panels.start * self.bytes..panels.end * self.bytes]
    }

    /// What the rows of panels `panels` bring to a test.
    pub(crate) fn tests(&self, panels: std::ops::Range<usize>) -> &[BaseTest] {
        &self.tests[panels]
    }

    /// The unit of the tests.
    pub(crate) fn unit(&self) -> f64 {
        self.unit
    }
}
