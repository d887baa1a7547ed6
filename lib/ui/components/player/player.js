export default mountingModule("instrument.js", (root) => {
  root.querySelector(".words").textContent = "The player could not be loaded; reload the page.";
  const notice = root.querySelector(".notice");
  notice.hidden = false;
  notice.dataset.kind = "problem";
});
