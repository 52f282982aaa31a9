/* Functions that grid options may name: text or a dash, and the theme, made of the tokens, so that it follows light and dark by itself. */
(function () {
  "use strict";
  const own = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  own.orDash = function (params) {
    if (!params.data) return "";
    return params.value === null || params.value === undefined || params.value === "" ? "–" : String(params.value);
  };
  own.pfdTheme = function (theme) {
    return theme.withParams({
      accentColor: "var(--accent)",
      backgroundColor: "var(--surface)",
      foregroundColor: "var(--text)",
      borderColor: "var(--border)",
      chromeBackgroundColor: "var(--surface)",
      headerBackgroundColor: "var(--surface)",
      headerTextColor: "var(--text-3)",
      headerFontSize: 12,
      rowHeight: "var(--grid-row)",
      dataBackgroundColor: "var(--surface)",
      oddRowBackgroundColor: "var(--surface)",
      rowHoverColor: "var(--surface-hover)",
      selectedRowBackgroundColor: "var(--accent-weak)",
      menuBackgroundColor: "var(--surface-raised)",
      panelBackgroundColor: "var(--surface-raised)",
      inputBackgroundColor: "var(--surface-raised)",
      inputBorder: { color: "var(--border-strong)" },
      textColor: "var(--text)",
      subtleTextColor: "var(--text-3)",
      tooltipBackgroundColor: "var(--text)",
      tooltipTextColor: "var(--surface)",
      fontFamily: "inherit",
      fontSize: 13,
      wrapperBorder: false,
      wrapperBorderRadius: 0,
      columnBorder: false,
      pinnedColumnBorder: false,
      headerColumnBorder: false,
      headerColumnResizeHandleColor: "var(--border)",
      headerColumnResizeHandleHeight: "40%",
      cellHorizontalPadding: 12,
      iconSize: 14,
      spacing: 6,
      focusShadow: "0 0 0 2px var(--focus)",
      checkboxCheckedBackgroundColor: "var(--accent-fill)",
      checkboxCheckedBorderColor: "var(--accent-fill)",
      checkboxCheckedShapeColor: "var(--on-accent)",
      checkboxUncheckedBorderColor: "var(--text-3)",
    });
  };
})();
