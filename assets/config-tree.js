/* Filter of a configuration tree: leaves that match, and the folders that lead to them. */
(function () {
  "use strict";
  function filter(tree, query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    tree.querySelectorAll(".tree-leaf").forEach((leaf) => {
      const text = leaf.getAttribute("data-search") || "";
      const match = words.every((word) => text.includes(word));
      leaf.hidden = !match;
      if (match) shown += 1;
    });
    tree.querySelectorAll(".tree-folder").forEach((folder) => {
      const any = folder.querySelector(".tree-leaf:not([hidden])") !== null;
      folder.hidden = words.length > 0 && !any;
      if (words.length > 0) {
        if (folder.dataset.wasOpen === undefined) folder.dataset.wasOpen = String(folder.open);
        folder.open = any;
      } else if (folder.dataset.wasOpen !== undefined) {
        folder.open = folder.dataset.wasOpen === "true";
        delete folder.dataset.wasOpen;
      }
    });
    const none = tree.querySelector(".tree-nothing");
    if (none) none.hidden = shown > 0;
  }
  document.addEventListener("input", (event) => {
    const tree = event.target.matches && event.target.matches(".tree-search") && event.target.closest("[data-config-tree]");
    if (tree) filter(tree, event.target.value);
  });
})();
