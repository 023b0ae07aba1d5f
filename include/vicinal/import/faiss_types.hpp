// SPDX-License-Identifier: MIT
// The types of faiss's files by the four characters they begin with, so that what is not read can be called by its
// name.
#pragma once

#include <string>       // for string
#include <string_view>  // for string_view

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

struct faiss_type {
    std::string_view four;
    std::string_view name;
};

/// What faiss writes, from 1.7 on and before (index_write.cpp, index_read.cpp). Some have no head like the others.
inline constexpr faiss_type faiss_types[] = {
    {"IxF2", "IndexFlatL2"},
    {"IxFI", "IndexFlatIP"},
    {"IxFl", "IndexFlat"},
    {"IwFl", "IndexIVFFlat"},
    {"IHNf", "IndexHNSWFlat"},
    {"IxMp", "IndexIDMap"},
    {"IxM2", "IndexIDMap2"},
    // Codes.
    {"IxPq", "IndexPQ"},
    {"IxPQ", "IndexPQ"},
    {"IxPo", "IndexPQ"},
    {"IPfs", "IndexPQFastScan"},
    {"IxSQ", "IndexScalarQuantizer"},
    {"IxHe", "IndexLSH"},
    {"IxHE", "IndexLSH"},
    {"IxLa", "IndexLattice"},
    {"IxRq", "IndexResidualQuantizer"},
    {"IxRQ", "IndexResidualQuantizer"},
    {"IxLS", "IndexLocalSearchQuantizer"},
    {"IxPR", "IndexProductResidualQuantizer"},
    {"IxPL", "IndexProductLocalSearchQuantizer"},
    {"IRfs", "IndexResidualQuantizerFastScan"},
    {"ILfs", "IndexLocalSearchQuantizerFastScan"},
    {"IPRf", "IndexProductResidualQuantizerFastScan"},
    {"IPLf", "IndexProductLocalSearchQuantizerFastScan"},
    {"Ixrq", "IndexRaBitQ"},
    {"Ix2L", "Index2Layer"},
    // Lists.
    {"IvFl", "IndexIVFFlat of an old format"},
    {"IvFL", "IndexIVFFlat of an old format"},
    {"IwFd", "IndexIVFFlatDedup"},
    {"IwPQ", "IndexIVFPQ"},
    {"IvPQ", "IndexIVFPQ"},
    {"IwQR", "IndexIVFPQR"},
    {"IvQR", "IndexIVFPQR"},
    {"IwPf", "IndexIVFPQFastScan"},
    {"IwSq", "IndexIVFScalarQuantizer"},
    {"IwSQ", "IndexIVFScalarQuantizer"},
    {"IvSQ", "IndexIVFScalarQuantizer"},
    {"IwSh", "IndexIVFSpectralHash"},
    {"IwRQ", "IndexIVFResidualQuantizer"},
    {"IwLS", "IndexIVFLocalSearchQuantizer"},
    {"IwPR", "IndexIVFProductResidualQuantizer"},
    {"IwPL", "IndexIVFProductLocalSearchQuantizer"},
    {"IVRf", "IndexIVFResidualQuantizerFastScan"},
    {"IVLf", "IndexIVFLocalSearchQuantizerFastScan"},
    {"NPRf", "IndexIVFProductResidualQuantizerFastScan"},
    {"NPLf", "IndexIVFProductLocalSearchQuantizerFastScan"},
    {"Iwrq", "IndexIVFRaBitQ"},
    {"IwIQ", "IndexIVFIndependentQuantizer"},
    {"Imiq", "MultiIndexQuantizer"},
    {"ImRQ", "ResidualCoarseQuantizer"},
    // Graphs.
    {"IHNp", "IndexHNSWPQ"},
    {"IHNs", "IndexHNSWSQ"},
    {"IHN2", "IndexHNSW2Level"},
    {"IHNc", "IndexHNSWCagra"},
    {"IHc2", "IndexHNSWCagra"},
    {"INSf", "IndexNSGFlat"},
    {"INSp", "IndexNSGPQ"},
    {"INSs", "IndexNSGSQ"},
    {"INNf", "IndexNNDescentFlat"},
    {"ISVD", "IndexSVS"},
    {"IS44", "IndexSVSLVQ4x4"},
    {"IS48", "IndexSVSLVQ4x8"},
    // Indexes around others.
    {"IxPT", "IndexPreTransform"},
    {"IxRF", "IndexRefine"},
    {"IRMf", "IndexRowwiseMinMax"},
    {"IRMh", "IndexRowwiseMinMaxFP16"},
    // Binary indexes.
    {"IBxF", "IndexBinaryFlat"},
    {"IBwF", "IndexBinaryIVF"},
    {"IBHf", "IndexBinaryHNSW"},
    {"IBFf", "IndexBinaryFromFloat"},
    {"IBHh", "IndexBinaryHash"},
    {"IBHm", "IndexBinaryMultiHash"},
    {"IBMp", "IndexBinaryIDMap"},
    {"IBM2", "IndexBinaryIDMap2"},
    // Parts of indexes, alone or where an index leaves one out.
    {"null", "nothing"},
    {"il00", "no InvertedLists"},
    {"ilar", "ArrayInvertedLists"},
    {"ilod", "OnDiskInvertedLists"},
    {"ilbl", "BlockInvertedLists"},
    {"rrot", "RandomRotationMatrix"},
    {"Pcam", "PCAMatrix"},
    {"PcAm", "PCAMatrix"},
    {"LTra", "LinearTransform"},
    {"RmDT", "RemapDimensionsTransform"},
    {"VNrm", "NormalizationTransform"},
    {"VCnt", "CenteringTransform"},
    {"Viqm", "ITQMatrix"},
    {"Viqt", "ITQTransform"},
};

/// The type that `four` stands for, or nullptr.
[[nodiscard]] inline const faiss_type* find_faiss_type(std::string_view four) noexcept {
    for (const faiss_type& type : faiss_types)
        if (type.four == four) return &type;
    return nullptr;
}

/// "faiss's IndexIVFPQ (IwPQ)", "a faiss binary index, IndexBinaryFlat (IBxF)", "faiss's type IxZZ, which is not known"
[[nodiscard]] inline std::string faiss_name(std::string_view four) {
    const faiss_type* const type = find_faiss_type(four);
    if (type == nullptr) return "faiss's type " + std::string(four) + ", which is not known";
    const bool binary = type->name.starts_with("IndexBinary");
    return (binary ? "a faiss binary index, " : "faiss's ") + std::string(type->name) + " (" + std::string(four) + ")";
}

}  // namespace detail
VICINAL_NAMESPACE_END
