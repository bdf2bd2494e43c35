"""Daily log, weekly and monthly report, complaint statistics (日志, 周报, 月报, 投诉分类统计表): from the tables,
as a page to print, as CSV, as a workbook; English and 简体中文."""
