/* Runs of one series differ at the ends of their names, so where there is little room it is the middle that gives way. */
(function () {
  "use strict";
  const pfd = (window.pfd = window.pfd || {});
  const END = 14, SHORT = 18, LEAST = 4;

  /* A name in two: what may be cut short, and its end, which begins with a word where one begins there. */
  pfd.cutName = function (name) {
    if (name.length <= SHORT) return [name, ""];
    const end = name.slice(-END), gap = end.search(/[ _/-]/), from = gap >= 0 && END - gap > LEAST ? gap : 0;
    return [name.slice(0, name.length - END + from), end.slice(from)];
  };

  /* Paths break between folders where a line is full, not inside a word. */
  pfd.folders = (name) => name.split(/(?<=\/)/);
})();
