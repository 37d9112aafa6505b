//! Rows as `i8` codes in panels, with what certifies a distance between them. Level 2.
//!
//! A [`Frame`] fixes the coordinates in which sets are coded: a centre is taken off, lengths are divided by a
//! unit, and where it makes codes finer the rows are rotated. All of it leaves the order of distances as it is. Of
//! each row z in the frame, ẑ = s·c is kept as the codes c with their scale s, its squared length, and a
//! residual e ≥ ‖z − ẑ‖ that has all rounding in it. By the triangle inequality │‖x−y‖ − ‖x̂−ŷ‖│ ≤ e_x + e_y.
//! Cost: one pass over the rows; memory: a byte a value and about 50 bytes a row.

use std::ops::Range;

use rayon::prelude::*;
use tailwatch_kernels::tile8::{BaseTest, GROUP, GROUP_BYTES, MOST_COLUMNS, PANEL, Panels};
use tailwatch_kernels::{Column, Isa, into_panel, quantize, rotate};

use super::bound::{self, Coded};
use crate::control::Control;
use crate::error::Result;
use crate::moments::add_scaled;
use crate::rows::Rows;
use crate::streams::Stream;

/// Columns from which codes pay: below, measuring every pair costs no more than looking at codes.
pub(crate) const LEAST_COLUMNS: usize = 16;
/// Rows that the centre, the unit and the choice of a rotation rest on.
const SAMPLE: usize = 256;
/// Units up to this, and down to its inverse, lose no more of differences of `f32` to underflow than a residual allows
/// for.
const UNITS: f64 = (1_u64 << 60) as f64;
/// A rotation must shrink the residuals to this share to be worth its time.
const WORTHWHILE: f64 = 0.8;

/// The coordinates in which sets are coded.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    centre: Vec<f64>,
    /// The same centre, where `f32` holds it and is wide enough: rows of `f32` are coded as they lie.
    single: Option<Vec<f32>>,
    signs: Option<Vec<f32>>,
    /// The length, a power of two, that is 1 in the frame.
    unit: f64,
}

/// Buffers of one thread for entering a frame.
#[derive(Default)]
struct Entering {
    row: Vec<f64>,
    singles: Vec<f32>,
    panel: Vec<Column>,
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
        let indices: Vec<usize> = (0..count).map(|i| i * n / count).collect();
        let mut sample = vec![0.0; count * d];
        let mut centre = vec![0.0; d];
        for (&index, row) in indices.iter().zip(sample.chunks_exact_mut(d)) {
            rows.read(index, row);
            add_scaled(&mut centre, row, (count as f64).recip());
        }
        // Any centre will do: one that `f32` holds makes differences of its rows exact to their last place.
        for value in &mut centre {
            let rounded = f64::from(*value as f32);
            *value = if rounded.is_finite() { rounded } else { *value };
        }
        let largest = sample.chunks_exact(d).fold(0.0, |largest: f64, row| {
            largest.max(row.iter().zip(&centre).map(|(x, c)| (x - c) * (x - c)).sum())
        });
        let unit = if largest > 0.0 { largest.sqrt().log2().round().exp2() } else { 1.0 };
        let unit = unit.max(bound::LEAST_UNIT);
        let held = centre.iter().all(|&value| f64::from(value as f32) == value);
        let fits = held && (UNITS.recip()..=UNITS).contains(&unit);
        let single = fits.then(|| centre.iter().map(|&value| value as f32).collect());
        let mut stream = Stream::new(0, "rotation", 0);
        let signs = (0..d).map(|_| if stream.uniform() < 0.5 { -1.0 } else { 1.0 }).collect();
        let plain = Self { centre, single, signs: None, unit };
        let rotated = Self { signs: Some(signs), ..plain.clone() };
        let sample = rows.pick(&indices);
        let residuals = |frame: &Self| frame.residuals(&sample, control);
        if residuals(&rotated) < WORTHWHILE * residuals(&plain) { rotated } else { plain }
    }

    /// The sum of the residuals of some rows.
    fn residuals(&self, sample: &Rows<'_>, control: &Control) -> f64 {
        let (n, groups) = (sample.len(), sample.columns().div_ceil(GROUP));
        let one = |(entering, codes): &mut (Entering, Vec<i8>), panel: usize| {
            codes.resize(groups * GROUP_BYTES, 0);
            let rows = panel * PANEL..((panel + 1) * PANEL).min(n);
            let columns = self.enter(sample, rows.start, entering, control.isa());
            let code = quantize(control.isa(), columns, codes);
            code.residual[..rows.len()].iter().map(|residual| residual.sqrt()).sum::<f64>()
        };
        let panels = (0..n.div_ceil(PANEL)).into_par_iter();
        let found: Vec<f64> = control.run(|| panels.map_init(Default::default, one).collect());
        // Added up in the order of the rows, whatever the threads.
        found.iter().sum()
    }

    /// The rows of a panel in the frame, from `first` on; beyond the last one it is repeated.
    fn enter<'a>(
        &self,
        rows: &Rows<'_>,
        first: usize,
        entering: &'a mut Entering,
        isa: Isa,
    ) -> &'a [Column] {
        let (d, last) = (rows.columns(), rows.len() - 1);
        let Entering { row, singles, panel } = entering;
        panel.resize(d, Column::default());
        let index = |lane: usize| (first + lane).min(last);
        let mut lying: [&[f32]; PANEL] = [&[]; PANEL];
        let lie = self.single.is_some()
            && lying.iter_mut().enumerate().all(|(lane, lying)| {
                rows.single(index(lane)).map(|values| *lying = values).is_some()
            });
        if let Some(centre) = self.single.as_ref().filter(|_| lie) {
            into_panel(isa, &lying, centre, self.unit.recip() as f32, panel);
        } else {
            row.resize(d, 0.0);
            singles.resize((PANEL + 1) * d, 0.0);
            let (nothing, entered) = singles.split_at_mut(d);
            let inverse = self.unit.recip();
            for (lane, entered) in entered.chunks_exact_mut(d).enumerate() {
                rows.read(index(lane), row);
                for ((single, value), centre) in entered.iter_mut().zip(&*row).zip(&self.centre) {
                    *single = ((value - centre) * inverse) as f32;
                }
            }
            let mut entered = entered.chunks_exact(d);
            let rows = std::array::from_fn(|_| entered.next().unwrap_or_default());
            into_panel(isa, &rows, nothing, 1.0, panel);
        }
        if let Some(signs) = &self.signs {
            rotate(isa, signs, panel);
        }
        panel
    }
}

/// The codes of a set.
pub(crate) struct Codes {
    panels: Panels,
    bytes: usize,
    coded: Vec<Coded>,
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
        let mut panels = Panels::zeros(n.div_ceil(PANEL) * bytes);
        let coded: Result<Vec<(Coded, BaseTest)>> = control.run(|| {
            let code = |entering: &mut Entering, (panel, out): (usize, &mut [i8])| {
                control.check()?;
                let columns = frame.enter(rows, panel * PANEL, entering, control.isa());
                let codes = quantize(control.isa(), columns, out);
                let coded = Coded::new(&codes, trust, d);
                let test = bound::base_test(&coded, (n - panel * PANEL).min(PANEL));
                Ok((coded, test))
            };
            let panels = panels.par_chunks_mut(bytes).enumerate();
            panels.map_init(Default::default, code).collect()
        });
        let (coded, tests) = coded?.into_iter().unzip();
        Ok(Self { panels, bytes, coded, tests, unit: frame.unit })
    }

    /// The codes of the rows at `indices`, in that order, as they are.
    pub(crate) fn some(&self, indices: &[usize], control: &Control) -> Self {
        let bytes = self.bytes;
        let mut panels = Panels::zeros(indices.len().div_ceil(PANEL) * bytes);
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
        let gathered = |indices: &[usize]| {
            let from = |&index: &usize| (&self.coded[index / PANEL], index % PANEL);
            let coded = Coded::gather(indices.iter().map(from));
            let test = bound::base_test(&coded, indices.len());
            (coded, test)
        };
        let (coded, tests) = indices.chunks(PANEL).map(gathered).unzip();
        Self { panels, bytes, coded, tests, unit: self.unit }
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

    /// A number that is equal for equal rows, and hardly ever for others.
    pub(crate) fn print(&self, row: usize) -> u64 {
        self.coded[row / PANEL].print(row % PANEL)
    }

    /// The rows `rows`, of which the first is the first of a panel.
    pub(crate) fn part(&self, rows: Range<usize>) -> Part<'_> {
        Part { codes: self, panels: rows.start / PANEL..rows.end.div_ceil(PANEL), rows: rows.len() }
    }

    /// The length that is 1 in the frame.
    pub(crate) fn unit(&self) -> f64 {
        self.unit
    }
}

/// Some rows of a coded set, in panels.
pub(crate) struct Part<'a> {
    codes: &'a Codes,
    panels: Range<usize>,
    rows: usize,
}

impl<'a> Part<'a> {
    /// Rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Rows in its panel number `panel`.
    pub(crate) fn rows_in(&self, panel: usize) -> usize {
        (self.rows - panel * PANEL).min(PANEL)
    }

    /// What is known of the rows of each panel.
    pub(crate) fn coded(&self) -> &'a [Coded] {
        &self.codes.coded[self.panels.clone()]
    }

    /// What the rows of each panel bring to a test.
    pub(crate) fn tests(&self) -> &'a [BaseTest] {
        &self.codes.tests[self.panels.clone()]
    }

    /// The codes of each panel, or of each `together`, the last ones perhaps fewer.
    pub(crate) fn panels(&self, together: usize) -> impl Iterator<Item = &'a [i8]> + Clone {
        let bytes = self.codes.bytes;
        self.codes.panels[self.panels.start * bytes..self.panels.end * bytes]
            .chunks(together * bytes)
    }

    /// The codes of up to `count` panels of the set from panel `panel` of these on.
    pub(crate) fn after(&self, panel: usize, count: usize) -> &'a [i8] {
        let (bytes, start) = (self.codes.bytes, self.panels.start + panel);
        let all = &self.codes.panels;
        &all[(start * bytes).min(all.len())..((start + count) * bytes).min(all.len())]
    }
}
