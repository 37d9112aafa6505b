//! `tailwatch._core`: the core for Python. Each function extracts, enters, calls and wraps; nothing is
//! computed here.

#![forbid(unsafe_code)]
// Functions take what Python passes and give tuples back.
#![allow(clippy::too_many_arguments, clippy::type_complexity)]

mod cluster;
mod contamination;
mod coverage;
mod dimension;
mod divergence;
mod enter;
mod error;
mod hashes;
mod inference;
mod input;
mod mapped;
mod neighbors;
mod parquet;
mod spectrum;
mod streams;
mod univariate;
mod vendi;

/// The Rust core of tailwatch.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use super::cluster::{PyCentres, k_means};
    #[pymodule_export]
    use super::contamination::{content_folds, probe_scores};
    #[pymodule_export]
    use super::coverage::{
        authenticity, clipped_density_and_coverage, copies, directional_tails,
        directional_tails_beyond, directional_thresholds, directions, good_shares, pooled_tail,
        precision_recall_density_coverage, tail_coverage,
    };
    #[pymodule_export]
    use super::dimension::{intrinsic_dimension, knn_entropy, rke};
    #[pymodule_export]
    use super::divergence::{
        cluster_counts, cross_mmd, frechet_distance, frechet_distance_extrapolated,
        frechet_distance_extrapolated_to, frechet_distance_to, frechet_of_moments, gaussian,
        gaussians_of_cuts, knn_divergence, knn_jensen_shannon, mauve, mauve_of_counts, mmd,
        moments, projections, sliced_wasserstein,
    };
    #[pymodule_export]
    use super::enter::{instruction_sets, thread_count};
    #[pymodule_export]
    const MOST_THREADS: usize = super::enter::MOST_THREADS;
    #[pymodule_export]
    use super::hashes::row_hashes;
    #[pymodule_export]
    use super::inference::{
        NoValue, PreparedKernels, PyPrepared, PySummary, gaussians_of_halves, prepare_authenticity,
        prepare_directions, prepare_kernels, prepare_knn_divergence, prepare_moments,
        prepare_neighbors, prepare_projections, prepare_vendi, restore_directions, restore_moments,
        restore_spectra, restore_vendi, whole_kernel_metrics, whole_neighbor_metrics,
    };
    #[pymodule_export]
    use super::input::PyRows;
    #[pymodule_export]
    use super::mapped::Guard;
    #[pymodule_export]
    use super::neighbors::nearest_neighbors;
    #[pymodule_export]
    use super::parquet::{Unfit, VectorColumn, first_length, verify_pages};
    #[pymodule_export]
    use super::spectrum::of_rows;
    #[pymodule_export]
    use super::streams::sample;
    #[pymodule_export]
    use super::univariate::{
        bin_counts, cramer_von_mises, kolmogorov_smirnov, univariate_energy_distance,
        wasserstein_distance,
    };
    #[pymodule_export]
    use super::vendi::vendi_score;
}
