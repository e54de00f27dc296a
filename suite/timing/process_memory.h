// How much memory this process has in use and had at most, as the kernel counts it.
#pragma once

#include <cstdint>

namespace convscope {

/// Bytes of memory of its own that this process uses now: without the pages of program files, which
/// others share. -1 where the system does not tell.
int64_t private_memory();

/// Forgets the peak: gives memory that was freed back to the system and starts anew.
void restart_peak_memory();

/// From now on freed blocks of more than 32 MB stay with this process, too, until the next restart
/// of the peak: a training step frees and asks for the same hundreds of megabytes, and the system
/// clears every page that it gives anew, which was up to half of the time.
void keep_large_blocks();

/// The most that private_memory() was since the restart, or a little less: pages of program files
/// that were loaded later than the peak count against it.
int64_t peak_private_memory();

/// From now on this process gets no more than so many bytes beside what it has: what asks for more
/// is told that there is none. If the machine runs out all the same, the kernel ends this process
/// before others. Reserved memory counts, used or not, so this is a guard and no measure.
void limit_memory_growth(int64_t bytes);

/// What could be allocated now without swapping, within the limit of the control group; -1 if
/// unknown.
int64_t available_memory();

}  // namespace convscope
