/* SPDX-License-Identifier: GPL-2.0-only */
/* report_assets.h: the files of plots/page/ as texts; generated when numaslab is built. */
#ifndef NSLAB_REPORT_ASSETS_H
#define NSLAB_REPORT_ASSETS_H

extern const char nslab_report_css[], nslab_report_js[];
extern const char nslab_report_js_sha256[]; /* 64 hexadecimal digits */

#endif
