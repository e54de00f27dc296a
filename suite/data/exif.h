// How a camera was held: the one field of EXIF that changes what a network sees.
#pragma once

#include "suite/data/image.h"

namespace convscope {

/// The orientation, 1 to 8, in a TIFF structure (EXIF without its "Exif\0\0"); 1, as it is, where
/// there is none or the structure is broken.
int exif_orientation(const uint8_t* tiff, size_t size);

/// The size that an image stored in this size has when it is upright.
Size upright_size(Size stored, int orientation);

/// Where the part of the upright image lies in the stored one.
Region stored_region(const Region& upright, Size stored, int orientation);

/// From a part of the stored image to that part of the upright one.
Image upright(Image stored, int orientation);

}  // namespace convscope
